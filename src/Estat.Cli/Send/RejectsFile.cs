// --rejects FILE: the lines that were not taken, as they stood, to be mended and sent again.
using Estat.Base.Files;

namespace Estat.Cli.Send;

/// <summary>Appended to in the file's order; cut back at a resume to what the checkpoint counts, so that no line stands there twice.</summary>
internal sealed class RejectsFile : IDisposable
{
    private readonly FileStream _file;

    private RejectsFile(FileStream file) => _file = file;

    /// <summary>Bytes in it.</summary>
    internal long Length => _file.Position;

    /// <summary>Opens it.</summary>
    /// <param name="path">Made if it is not there.</param>
    /// <param name="length">What it holds so far; 0 empties it.</param>
    internal static RejectsFile Open(string path, long length)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        file.SetLength(Math.Min(length, file.Length));
        file.Position = file.Length;
        return new RejectsFile(file);
    }

    /// <summary>Appends, and flushes to the device: the checkpoint that follows counts on it.</summary>
    internal void Append(IEnumerable<RejectedLine> lines)
    {
        foreach (RejectedLine rejected in lines)
        {
            if (rejected.Line is { } line)
            {
                _file.Write(line.Span);
                _file.WriteByte((byte)'\n');
            }
        }

        Libc.SyncData(_file);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
