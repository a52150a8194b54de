// The projects of src/ as their files show them: which needs which, by project files and by what the code names.
using System.Text.RegularExpressions;

namespace Estat.House.Tests;

/// <summary>Read once from a folder that holds projects. A folder of a project is its first folder level; files beside it are of the project
/// itself.</summary>
internal sealed partial class House
{
    private readonly HashSet<(string From, string To)> _projects = [];
    private readonly Dictionary<(string From, string To), string> _folders = [];

    /// <summary>Reads every project below a folder.</summary>
    internal static House Read(string root)
    {
        var house = new House();
        foreach (string folder in Directory.GetDirectories(root))
        {
            house.ReadProject(folder);
        }

        return house;
    }

    /// <summary>A file without its comments and texts.</summary>
    internal static string CodeOf(string file) => CommentOrText().Replace(File.ReadAllText(file), "");

    /// <summary>Projects that need others, by project file or by code.</summary>
    internal IReadOnlySet<(string From, string To)> Projects => _projects;

    /// <summary>Sets of folders of a project that need each other in a circle, each in order; with an example for each arrow.</summary>
    internal IReadOnlyList<Circle> Circles()
    {
        string[] folders = [.. _folders.Keys.SelectMany(arrow => new[] { arrow.From, arrow.To }).Distinct().Order(StringComparer.Ordinal)];
        var reached = folders.ToDictionary(folder => folder, Reached);
        return [.. folders.Where(folder => reached[folder].Contains(folder))
            .GroupBy(folder => string.Join(' ', reached[folder].Where(other => reached[other].Contains(folder)).Order(StringComparer.Ordinal)))
            .Select(circle => new Circle(circle.Key, [.. _folders.Where(arrow => circle.Contains(arrow.Key.From) && circle.Contains(arrow.Key.To))
                .Select(arrow => $"{arrow.Key.From} -> {arrow.Key.To} ({arrow.Value})").Order(StringComparer.Ordinal)]))];
    }

    // All that can be reached in one step or more.
    private HashSet<string> Reached(string from)
    {
        HashSet<string> reached = [];
        var next = new Stack<string>([from]);
        while (next.TryPop(out string? at))
        {
            foreach (string to in _folders.Keys.Where(arrow => arrow.From == at).Select(arrow => arrow.To).Where(reached.Add))
            {
                next.Push(to);
            }
        }

        return reached;
    }

    private void ReadProject(string folder)
    {
        string project = Path.GetFileName(folder);
        foreach (string file in Directory.GetFiles(folder, "*.csproj"))
        {
            foreach (Match reference in Reference().Matches(File.ReadAllText(file)))
            {
                _projects.Add((project, reference.Groups[1].Value));
            }
        }

        foreach (string file in Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories))
        {
            string[] path = Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar);
            if (path[0] is not ("obj" or "bin"))
            {
                ReadFile(project, path.Length > 1 ? $"{project}/{path[0]}" : project, file);
            }
        }
    }

    private void ReadFile(string project, string folder, string file)
    {
        foreach (Match named in Named().Matches(CodeOf(file)))
        {
            string other = "Estat." + named.Groups[1].Value;
            if (other != project)
            {
                _projects.Add((project, other));
            }
            else if ($"{project}/{named.Groups[2].Value}" is var to && to != folder && folder != project)
            {
                _folders.TryAdd((folder, to), Path.GetFileName(file));
            }
        }
    }

    [GeneratedRegex(@"<ProjectReference Include=""[^""]*?([\w.]+)\.csproj""")]
    private static partial Regex Reference();

    // A using line, or a name that is written out: Estat.Collect.Batching…
    [GeneratedRegex(@"(?<!namespace )\bEstat\.(\w+)\.(\w+)")]
    private static partial Regex Named();

    [GeneratedRegex(@"//.*$|""(?:[^""\\\n]|\\.)*""", RegexOptions.Multiline)]
    private static partial Regex CommentOrText();
}

/// <summary>Folders that need each other.</summary>
/// <param name="Folders">Their names, in order, with spaces between them.</param>
/// <param name="Arrows">What makes them need each other, each with a file that does.</param>
internal sealed record Circle(string Folders, IReadOnlyList<string> Arrows);
