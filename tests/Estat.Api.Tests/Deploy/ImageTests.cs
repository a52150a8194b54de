// What a published server brings along: the images of the Dockerfile and the folder of scripts/publish.sh hold the command line beside the server.
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Estat.Testing;

namespace Estat.Api.Tests.Deploy;

public sealed partial class ImageTests
{
    private const string CommandLine = "estat";
    private const string Folder = "/app";
    private static readonly string[] Servers = ["Estat.Api", "Estat.Silo"];

    [Theory]
    [InlineData("standalone")]
    [InlineData("cluster")]
    public void An_image_holds_the_command_line_beside_its_server(string target)
    {
        string[] instructions = Instructions();
        var held = new Dictionary<string, HashSet<string>>();
        foreach (string run in instructions.Where(instruction => instruction.StartsWith("RUN ", StringComparison.Ordinal)))
        {
            foreach (Match publish in Publishing().Matches(run))
            {
                Assert.All(WithReferences(publish.Groups[1].Value), project =>
                {
                    Assert.Contains($"COPY src/{project}/{project}.csproj src/{project}/", instructions); // for the restore
                    Assert.Contains($"COPY src/{project} src/{project}", instructions);
                });
                held[publish.Groups[2].Value] = [.. WithReferences(publish.Groups[1].Value).Select(AssemblyName)];
            }

            foreach (Match copy in Copying().Matches(run))
            {
                held.TryAdd(copy.Groups[2].Value, []);
                held[copy.Groups[2].Value].UnionWith(held[copy.Groups[1].Value]);
            }
        }

        string[] stage = [.. instructions.SkipWhile(instruction => !instruction.EndsWith($" AS {target}", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(instruction => !instruction.StartsWith("FROM ", StringComparison.Ordinal))];
        string from = Assert.Single(stage, instruction => instruction.EndsWith($" {Folder}", StringComparison.Ordinal)).Split(' ')[2];
        Assert.Contains(CommandLine, held[from]);
        Assert.Contains(Program()
            .Match(Assert.Single(stage, instruction => instruction.StartsWith("ENTRYPOINT ", StringComparison.Ordinal))).Groups[1].Value, held[from]);
    }

    [Fact]
    public void Programs_in_the_image_are_called_by_names_that_they_have()
    {
        string[] pages = [.. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md"), Path.Combine(Repository.Root, "Dockerfile")];
        string[] called = [.. pages.SelectMany(page => Program().Matches(File.ReadAllText(page))).Select(program => program.Groups[1].Value)
            .Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal([.. Servers, AssemblyName("Estat.Cli")], called);
    }

    [Theory]
    [InlineData("Estat.Api", "Estat.Cli")]
    [InlineData("Estat.Silo", "Estat.Silo")]
    public async Task Publishing_a_server_publishes_the_command_line_and_what_both_have_is_the_servers(string server, string shared)
    {
        // Publishing takes half a minute: here an SDK of a few lines stands for the real one, and leaves the name of the project in each file that it
        // makes.
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(
            folder["dotnet"],
            """
            #!/usr/bin/env bash
            if [[ $1 == --list-sdks ]]; then echo '10.0.100 [/sdk]'; fi
            if [[ $1 == publish ]]; then
                project=${2#src/}
                while [[ $1 != -o ]]; do shift; done
                case $project in Estat.Cli) own=estat ;; *) own=$project ;; esac
                mkdir -p "$2"
                for file in "$own" Estat.Api; do echo "$project" >"$2/$file.dll"; done
            fi
            """,
            TestContext.Current.CancellationToken);
        await Command.SucceedAsync(TimeSpan.FromSeconds(30), "chmod", "+x", folder["dotnet"]);
        await Command.SucceedAsync(
            TimeSpan.FromSeconds(30), "env", $"PATH={folder.Path}:{Environment.GetEnvironmentVariable("PATH")}", "DynamoDbClustering=false",
            Path.Combine(Repository.Root, "scripts/publish.sh"), folder["out"], server);

        Assert.True(File.Exists(folder[$"out/{server}.dll"]), server);
        Assert.True(File.Exists(folder[$"out/{CommandLine}.dll"]), CommandLine);
        Assert.Equal(shared, (await File.ReadAllTextAsync(folder["out/Estat.Api.dll"], TestContext.Current.CancellationToken)).Trim());
    }

    // Comments left out, continued lines joined.
    private static string[] Instructions() =>
    [
        .. string.Join('\n', DeployFiles.Text("Dockerfile").Split('\n').Where(line => !line.StartsWith('#')))
            .Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
    ];

    private static IEnumerable<string> WithReferences(string project) =>
        Project(project).Descendants("ProjectReference").SelectMany(reference =>
            WithReferences(Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')))).Append(project).Distinct();

    private static string AssemblyName(string project) => Project(project).Descendants("AssemblyName").SingleOrDefault()?.Value ?? project;

    private static XDocument Project(string name) => XDocument.Parse(DeployFiles.Text($"src/{name}/{name}.csproj"));

    [GeneratedRegex(@"dotnet publish src/(\S+) .*-o (\S+)")]
    private static partial Regex Publishing();

    [GeneratedRegex(@"cp -r (\S+?)(?:/\.)? (\S+)")]
    private static partial Regex Copying();

    [GeneratedRegex(@"/app/([\w.]+)\.dll")]
    private static partial Regex Program();
}
