// What the operator discarded, for as long as the spool may still hold it.
using System.Text;
using Estat.Base.Files;

namespace Estat.Collect.Dlq;

/// <summary>
/// A process that is killed between writing a DLQ file and removing the batch's segment leaves both. The segment goes when recovery comes to it and
/// finds the file. Where somebody discards the file before, this list is what keeps the segment from being stored: a name is on the disk before its
/// file goes. It begins anew at a start that finds the spool empty. Any thread.
/// </summary>
/// <param name="folder">The DLQ's folder, as it is reached now.</param>
internal sealed class DiscardedBatches(Func<string> folder)
{
    /// <summary>The list's file in the DLQ's folder: a name a line.</summary>
    internal const string FileName = ".discarded";

    private readonly Lock _gate = new();
    private readonly HashSet<string> _names = Read(Path.Combine(folder(), FileName));

    private string FilePath => Path.Combine(folder(), FileName);

    /// <summary>Adds a name, durably.</summary>
    /// <exception cref="IOException">The disk refuses; the batch must not be discarded.</exception>
    internal void Add(string name)
    {
        lock (_gate)
        {
            if (_names.Contains(name))
            {
                return;
            }

            using (var file = new FileStream(FilePath, FileMode.Append, FileAccess.Write))
            {
                file.Write(Encoding.ASCII.GetBytes($"\n{name}\n")); // its own line, whatever a power cut left of the last one
                file.Flush();
                Libc.SyncData(file);
            }

            Libc.SyncDirectory(folder());
            _names.Add(name);
        }
    }

    /// <summary>Whether a batch of this name was discarded.</summary>
    internal bool Has(string name)
    {
        lock (_gate)
        {
            return _names.Contains(name);
        }
    }

    /// <summary>Begins anew: no segment of an earlier start is left.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal void Clear()
    {
        lock (_gate)
        {
            _names.Clear();
            File.Delete(FilePath);
        }
    }

    private static HashSet<string> Read(string path)
    {
        try
        {
            using var reader = new StreamReader(RegularFile.OpenRead(path), Encoding.ASCII);
            return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }
}
