// Arrows go one way: docs/architecture.md has the picture in words.
using System.Text.RegularExpressions;

namespace Estat.House.Tests;

public sealed partial class HouseTests
{
    // What each project may need. Whatever is not here may need nothing.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Estat.Base"] = [],
        ["Estat.Lake"] = ["Estat.Base"],
        ["Estat.Http"] = ["Estat.Base"],
        ["Estat.Node"] = ["Estat.Base", "Estat.Http"],
        ["Estat.Collect"] = ["Estat.Base", "Estat.Lake", "Estat.Http"],
        ["Estat.Requests"] = ["Estat.Base", "Estat.Lake", "Estat.Http"],
        ["Estat.Topics"] = ["Estat.Base", "Estat.Http"],
        ["Estat.Requests.Aws"] = ["Estat.Base", "Estat.Lake", "Estat.Http", "Estat.Requests"],
        ["Estat.Topics.Kafka"] = ["Estat.Base", "Estat.Http", "Estat.Topics"],
        ["Estat.Api"] = ["Estat.Base", "Estat.Lake", "Estat.Http", "Estat.Node", "Estat.Collect", "Estat.Requests", "Estat.Requests.Aws",
            "Estat.Topics", "Estat.Topics.Kafka"],
        ["Estat.Cli"] =
        [
            "Estat.Base", "Estat.Lake", "Estat.Http", "Estat.Node", "Estat.Collect", "Estat.Requests", "Estat.Requests.Aws", "Estat.Topics",
            "Estat.Topics.Kafka", "Estat.Api",
        ],
        ["Estat.Grains"] = ["Estat.Base", "Estat.Lake", "Estat.Http", "Estat.Collect"],
        ["Estat.Silo"] = ["Estat.Base", "Estat.Lake", "Estat.Http", "Estat.Node", "Estat.Collect", "Estat.Api", "Estat.Grains"],
    };

    private static readonly House Source = House.Read(Path.Combine(Repository.Root, "src"));

    [Fact]
    public void Projects_need_each_other_in_one_direction() => Assert.Empty(Source.Projects
        .Where(arrow => !Allowed.TryGetValue(arrow.From, out string[]? allowed) || !allowed.Contains(arrow.To))
        .Select(arrow => $"{arrow.From} -> {arrow.To}"));

    [Fact]
    public void Every_project_is_in_the_picture() => Assert.Equal(
        Allowed.Keys.Order(StringComparer.Ordinal),
        Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal));

    [Fact]
    public void Folders_of_a_project_form_no_circle() => Assert.Empty(
        Source.Circles().Select(circle => $"{circle.Folders}\n{string.Join('\n', circle.Arrows)}"));

    [Fact]
    public void Rules_of_an_intake_know_no_server() => Assert.Empty(
        ServerNames(Repository.Root, ["src/Estat.Collect/Intake", "src/Estat.Http/Intake"]));

    [Theory]
    [InlineData("Step.cs", "class C { void M(HttpContext context) { } }", "Intake/Step.cs: HttpContext")]
    [InlineData("Step.cs", "class C { StringValues Of(IHeaderDictionary headers) => default; }", "Intake/Step.cs: IHeaderDictionary")]
    [InlineData("Step.cs", "// Not over HttpContext.", null)]
    [InlineData("HttpView.cs", "class C { void M(HttpContext context) { } }", null)]
    public void A_rule_that_knows_a_server_is_found(string file, string code, string? found)
    {
        using var folder = new TempFolder();
        Write(folder, "Intake/" + file, code);
        Assert.Equal(found is null ? [] : new[] { found }, ServerNames(folder.Path, ["Intake"]));
    }

    [Theory]
    [InlineData("using Estat.B.Two;", "Estat.A -> Estat.B")]
    [InlineData("class C { Estat.B.Two.Thing thing; }", "Estat.A -> Estat.B")]
    [InlineData("// using Estat.B.Two;", null)]
    public void An_arrow_is_found_in_code(string code, string? arrow)
    {
        using var folder = new TempFolder();
        Write(folder, "Estat.A/One/File.cs", "namespace Estat.A.One;\n" + code);
        Assert.Equal(arrow is null ? [] : new[] { arrow }, House.Read(folder.Path).Projects.Select(found => $"{found.From} -> {found.To}"));
    }

    [Fact]
    public void A_circle_between_folders_is_found_over_three_of_them()
    {
        using var folder = new TempFolder();
        Write(folder, "Estat.A/One/File.cs", "using Estat.A.Two;");
        Write(folder, "Estat.A/Two/File.cs", "using Estat.A.Three;");
        Write(folder, "Estat.A/Three/File.cs", "using Estat.A.One;");
        Write(folder, "Estat.A/Four/File.cs", "using Estat.A.One;");
        Assert.Equal("Estat.A/One Estat.A/Three Estat.A/Two", Assert.Single(House.Read(folder.Path).Circles()).Folders);
    }

    // Another door than Kestrel's calls them too. What makes a view of a request of Kestrel's is called Http…
    private static IEnumerable<string> ServerNames(string root, string[] folders) =>
        from folder in folders
        from file in Directory.GetFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
        where !Path.GetFileName(file).StartsWith("Http", StringComparison.Ordinal)
        from named in ServerName().Matches(House.CodeOf(file)).Select(match => match.Value).Distinct()
        select $"{Path.GetRelativePath(root, file)}: {named}";

    [GeneratedRegex(@"\b(?:HttpContext|HttpRequest|HttpResponse|IHeaderDictionary|IFeatureCollection)\b")]
    private static partial Regex ServerName();

    private static void Write(TempFolder folder, string path, string text)
    {
        string file = Path.Combine(folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
