// A family of options: names that another program defines, and that all begin alike.
using Estat.Base.Options;

namespace Estat.Base.Tests.Options;

public sealed class OptionFamilyTests : IDisposable
{
    private static readonly OptionSpec<Whole>[] Table =
    [
        .. new[]
        {
            OptionSpec<Part>.Family(
                "ENGINE_*", "a value", "Options of the engine.", (o, name, text) => o with { Set = [.. o.Set, $"{name}={text}"] }),
        }.Select(option => option.In<Whole>(o => o.Part, (o, v) => o with { Part = v })),
    ];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Members_come_from_the_command_line_the_environment_and_the_file_and_the_first_wins()
    {
        File.WriteAllText(_folder["settings.json"], """{ "engine_speed": 1, "ENGINE_OIL": "file", "ENGINE_FILE": "f" }""");
        Assert.Equal(
            ["ENGINE_FILE=f", "ENGINE_OIL=environment", "ENGINE_SPEED=3"],
            Bind(
                ["--engine_speed=3"],
                [("ENGINE_OIL", "environment"), ("ENGINE_SPEED", "2"), ("ENGINE_EMPTY", " "), ("engine_case", "x"), ("ENGINE_A:B", "x")]));
    }

    [Fact]
    public void A_member_may_stand_apart_from_its_value() => Assert.Equal(["ENGINE_X=1"], Bind(["--ENGINE_X", "1"], []));

    [Theory]
    [InlineData("--ENGIN_X=1")]
    [InlineData("--ENGINE=1")]
    public void A_name_that_begins_otherwise_is_no_option(string argument) =>
        Assert.Contains("no such option", Assert.Throws<OptionException>(() => Bind([argument], [])).Message, StringComparison.Ordinal);

    [Fact]
    public void Help_shows_a_family_once() => Assert.Equal(1, OptionBinding.Help(Table).Split("ENGINE_*").Length - 1);

    private string[] Bind(string[] args, (string Name, string Value)[] environment) =>
    [
        .. OptionBinding.Bind(
            Table, Table, args, environment.Select(pair => new KeyValuePair<string, string?>(pair.Name, pair.Value)), _folder["settings.json"])
            .Part.Set.Order(StringComparer.Ordinal),
    ];

    private sealed record Part
    {
        public IReadOnlyList<string> Set { get; init; } = [];
    }

    private sealed record Whole
    {
        public Part Part { get; init; } = new();
    }
}
