// bench.json: all rounds and medians, with the machine that they are from.
using System.Text.Encodings.Web;
using System.Text.Json;
using Estat.Bench.Measuring;

namespace Estat.Bench.Reporting;

/// <summary>What is known of one machine and one build. A section that is measured again replaces what was known of it.</summary>
internal sealed record Report(Machine Machine, IReadOnlyList<Section> Sections)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Adds sections to a file. One of another machine or build is begun anew.</summary>
    internal static async Task<Report> AddAsync(string path, Machine machine, IReadOnlyList<Section> measured)
    {
        IReadOnlyList<Section> known = File.Exists(path) && await ReadAsync(path) is { } before && before.Machine == machine ? before.Sections : [];
        var report = new Report(machine, [.. known.Where(old => !measured.Any(section => section.Part == old.Part)), .. measured]);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(report, Format) + "\n");
        return report;
    }

    private static async Task<Report?> ReadAsync(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Report>(await File.ReadAllTextAsync(path), Format);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
