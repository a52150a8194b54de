// What the operator discarded, for as long as the spool may still hold it.
using System.Collections.Concurrent;
using System.Text;
using Estat.Base.Files;

namespace Estat.Collect.Dlq;

/// <summary>
/// A process that is killed between writing a DLQ file and removing the batch's segment leaves both. The segment goes when recovery comes to it and
/// finds the file. Where somebody discards the file before, this list is what keeps the segment from being stored: a name is on the disk before its
/// file goes. It begins anew at a start that finds the spool empty. Any thread; a look-up never waits for the disk.
/// </summary>
internal sealed class DiscardedBatches
{
    /// <summary>The list's file in the DLQ's folder: a name a line.</summary>
    internal const string FileName = ".discarded";

    /// <summary>Bytes that the file may have: names of some 200,000 batches.</summary>
    internal const int MostBytes = 16 << 20;

    private readonly Func<string> _folder;
    private readonly ConcurrentDictionary<string, bool> _names; // as a set
    private readonly Lock _writing = new(); // held while the disk writes: only who writes as well waits for it

    /// <summary>Reads the list that is there.</summary>
    /// <param name="folder">The DLQ's folder, as it is reached now.</param>
    /// <exception cref="IOException">It cannot be read, or is longer than any that a node writes; the message says what to do.</exception>
    internal DiscardedBatches(Func<string> folder)
    {
        _folder = folder;
        _names = new ConcurrentDictionary<string, bool>(Read(FilePath).Select(name => KeyValuePair.Create(name, true)), StringComparer.Ordinal);
    }

    private string FilePath => Path.Combine(_folder(), FileName);

    /// <summary>Adds a name, durably.</summary>
    /// <exception cref="IOException">The disk refuses, or the list is full; the batch must not be discarded.</exception>
    internal void Add(string name)
    {
        lock (_writing)
        {
            if (_names.ContainsKey(name))
            {
                return;
            }

            byte[] line = Encoding.ASCII.GetBytes($"\n{name}\n"); // its own line, whatever a power cut left of the last one
            using (var file = new FileStream(FilePath, FileMode.Append, FileAccess.Write))
            {
                if (file.Length + line.Length > MostBytes)
                {
                    throw new IOException($"{FilePath} is full: it lists what was discarded while the spool may still hold it. Restart the node once "
                        + "its spool is empty: the list then begins anew.");
                }

                file.Write(line);
                file.Flush();
                Libc.SyncData(file);
            }

            Libc.SyncDirectory(_folder());
            _names[name] = true;
        }
    }

    /// <summary>Whether a batch of this name was discarded.</summary>
    internal bool Has(string name) => _names.ContainsKey(name);

    /// <summary>Begins anew: no segment of an earlier start is left.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal void Clear()
    {
        lock (_writing)
        {
            _names.Clear();
            File.Delete(FilePath);
        }
    }

    private static string[] Read(string path)
    {
        try
        {
            return Encoding.ASCII.GetString(RegularFile.ReadAllBytes(path, MostBytes)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (FileNotFoundException)
        {
            return [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"DLQ_DIR: the list of discarded files cannot be read ({error.Message.TrimEnd('.')}). Move {path} away. If a discarded batch is "
                    + "in the spool, the node then stores it.", error);
        }
    }
}
