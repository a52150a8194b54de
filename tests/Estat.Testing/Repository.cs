// Where this repository is on the machine that runs the tests, and how the running test was built.

namespace Estat.Testing;

/// <summary>Paths of the repository, found from the running assembly.</summary>
public static class Repository
{
    /// <summary>The folder that holds Estat.sln.</summary>
    public static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Estat.sln")))
                {
                    return folder.FullName;
                }
            }

            throw new DirectoryNotFoundException($"no Estat.sln in {AppContext.BaseDirectory} or any folder above it");
        }
    }

    /// <summary>"debug" or "release": how the running assembly was built, by the folder that it runs from.</summary>
    public static string Configuration =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)) == "debug" ? "debug" : "release";

    /// <summary>The built assembly of a project, in the running assembly's configuration.</summary>
    /// <exception cref="FileNotFoundException">It was not built.</exception>
    public static string Assembly(string project)
    {
        var file = project == "Estat.Cli" ? "estat" : project; // named as it is called
        var path = Path.Combine(Root, "artifacts", "bin", project, Configuration, file + ".dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{project} is not built in {Configuration}: {path} is missing", path);
    }
}
