// A folder of a test's own, gone when the test is done with it.

namespace Estat.Testing;

/// <summary>An empty folder in the system's temporary directory, removed with all it holds at dispose.</summary>
public sealed class TempFolder : IDisposable
{
    /// <summary>How the names of all temporary folders of the tests begin.</summary>
    public const string Prefix = "estat-test-";

    /// <summary>The absolute path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory(Prefix).FullName;

    /// <summary>The path of something in the folder.</summary>
    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    /// <summary>Removes the folder, as far as that is possible: a test's verdict does not depend on its litter.</summary>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
