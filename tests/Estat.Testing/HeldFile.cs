// A file that is read when the test says so.

namespace Estat.Testing;

/// <summary>A named pipe in a file's place: whoever reads it waits for <see cref="Give"/>, and a test can look at what has happened until then and what has not.</summary>
public sealed class HeldFile : IDisposable
{
    private readonly string _path;
    private FileStream? _writer;

    private HeldFile(string path) => _path = path;

    /// <summary>Puts it there; its folder is made.</summary>
    public static async Task<HeldFile> CreateAsync(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await Command.SucceedAsync(TimeSpan.FromSeconds(60), "mkfifo", path);
        return new HeldFile(path);
    }

    /// <summary>Until somebody reads it and so waits.</summary>
    /// <exception cref="TimeoutException">Nobody did.</exception>
    public async Task UntilReadAsync(TimeSpan limit)
    {
        _writer?.Dispose();
        var opening = Task.Run(() => new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
        _writer = await opening.WaitAsync(limit);
    }

    /// <summary>Gives whoever reads it the content.</summary>
    public void Give(string content)
    {
        _writer!.Write(System.Text.Encoding.UTF8.GetBytes(content));
        Dispose();
    }

    /// <summary>Whoever still reads it finds its end.</summary>
    public void Dispose() => _writer?.Dispose();
}
