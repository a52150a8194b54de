// A folder of the server: may it be written, how fast is a flush, is there room, does somebody own it?
using System.Diagnostics;
using System.Globalization;
using Estat.Api.Options;
using Estat.Base.Acks;
using Estat.Base.Files;
using Estat.Cli.Frame;
using Estat.Collect.Spooling;

namespace Estat.Cli.Check;

/// <summary>A folder that is not there yet is not made: the nearest one above it is tried instead.</summary>
internal static class DiskCheck
{
    private const int Flushes = 15;
    private const double SlowFlush = 20;
    private const int FewInodes = 1000; // the DLQ needs two a batch

    internal static IEnumerable<Finding> Find(string check, string option, string path, EstatOptions options, bool isSpool)
    {
        string full = Path.GetFullPath(path);
        string there = full;
        while (!Directory.Exists(there))
        {
            if (File.Exists(there))
            {
                yield return Finding.Bad(check, $"{there} is a file, not a folder", $"name another {option}");
                yield break;
            }

            there = Path.GetDirectoryName(there) ?? "/";
        }

        if (there == full && OwnerOf(check, option, full) is { } owned)
        {
            yield return owned;
            if (owned.Verdict == Verdict.Bad)
            {
                yield break;
            }
        }

        if (isSpool && Spool.IsVolatile(there) is { } kind)
        {
            bool refuses = !options.Collect.SpoolVolatile && (options.Collect.AckAllowed?.Max() ?? options.Collect.Ack) >= AckLevel.Disk;
            yield return refuses
                ? Finding.Bad(check, $"{there} is a {kind}, which a reboot empties: the server does not start",
                    "name a folder on a disk, or set SPOOL_VOLATILE=true to accept that")
                : Finding.Warning(check, $"{there} is a {kind}, which a reboot empties", "name a folder on a disk, or a power cut loses the events "
                    + "that wait there");
        }

        yield return Written(check, option, there, full);
        yield return Room(check, there, options);
    }

    private static Finding? OwnerOf(string check, string option, string folder)
    {
        if (!File.Exists(Path.Combine(folder, DirectoryLock.FileName)))
        {
            return null;
        }

        try
        {
            using var held = DirectoryLock.Take(folder, option);
            return null;
        }
        catch (FolderOwnedException)
        {
            return Finding.Warning(check, $"{folder}: a running server owns it",
                "nothing to do if that server has this configuration; a second server needs folders of its own");
        }
        catch (IOException error)
        {
            return Finding.Bad(check, error.Message, $"change its owner (chown), or name another {option}");
        }
    }

    // What a group commit costs here: 4 KB and fdatasync, as the spool does it.
    private static Finding Written(string check, string option, string folder, string wanted)
    {
        string probe = Path.Combine(folder, $".tmp-estat-check-{Guid.NewGuid():N}");
        var times = new List<double>();
        try
        {
            using (var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose))
            {
                byte[] block = new byte[4096];
                for (int i = 0; i < Flushes; i++)
                {
                    long started = Stopwatch.GetTimestamp();
                    file.Write(block);
                    Libc.SyncData(file);
                    times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Finding.Bad(
                check, $"{folder} cannot be written ({error.Message.TrimEnd('.')})", $"{DiskAdvice.For(error, folder)}, or name another {option}");
        }

        times.Sort();
        string median = times[times.Count / 2].ToString("0.0", CultureInfo.InvariantCulture);
        string longest = times[^1].ToString("0.0", CultureInfo.InvariantCulture);
        string where = folder == wanted ? folder : $"{wanted} (will be created in {folder})";
        return times[times.Count / 2] > SlowFlush
            ? Finding.Warning(check, $"{where}: a sync takes {median} ms (longest {longest}), and every answer at ACK=disk waits for one",
                "use a disk of its own, SSD or provisioned IOPS, or ACK=memory")
            : Finding.Good(check, $"{where}: written and synced in {median} ms (longest {longest})");
    }

    private static Finding Room(string check, string folder, EstatOptions options)
    {
        long free = new DriveInfo(folder).AvailableFreeSpace;
        long wanted = check == "spool" ? options.Collect.SpoolMaxSizeBytes : options.Collect.DlqMaxSizeBytes;
        string name = check == "spool" ? "SPOOL_MAX_SIZE_BYTES" : "DLQ_MAX_SIZE_BYTES";
        if (Libc.FreeInodes(folder) is { } inodes and < FewInodes)
        {
            const string Fix = "delete small files, or make the file system anew with more (df -i)";
            string text = $"{Words.Count(inodes, "inode")} left, though {Words.Bytes(free)} are free";
            return inodes == 0 ? Finding.Bad(check, $"{text}: no file can be made", Fix) : Finding.Warning(check, text, Fix);
        }

        return free < options.Collect.DiskMinFreeBytes
            ? Finding.Bad(
                check,
                $"{Words.Bytes(free)} free, less than DISK_MIN_FREE_BYTES ({Words.Bytes(options.Collect.DiskMinFreeBytes)}): new requests get 503",
                "free space, or use a larger disk")
            : free - options.Collect.DiskMinFreeBytes < wanted
                ? Finding.Warning(
                    check, $"{Words.Bytes(free)} free; {name} lets it grow to {Words.Bytes(wanted)}, more than the disk holds",
                    "nothing to do if a storage outage may end in 503s sooner; otherwise use a larger disk")
                : Finding.Good(check, $"{Words.Bytes(free)} free");
    }
}
