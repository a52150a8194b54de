// Which ack levels take turns: those that the server at hand offers.

using Estat.Testing;

namespace Estat.Chaos;

internal static class Levels
{
    /// <summary>A round whose connections ask for different levels.</summary>
    internal const string Mixed = "mixed";

    internal static IReadOnlyList<string> Names { get; } = [.. AckNames.OfOneNode, Mixed];

    /// <summary>The levels at which a server of this build starts.</summary>
    internal static async Task<IReadOnlyList<string>> OfferedAsync()
    {
        var offered = new List<string>();
        foreach (var level in AckNames.OfOneNode)
        {
            using var folder = new TempFolder();
            try
            {
                await using var server = await ServerProcess.StartAsync(new Dictionary<string, string>
                {
                    ["ACK"] = level,
                    ["STORAGE_DIR"] = folder["data"],
                    ["DLQ_DIR"] = folder["dlq"],
                    ["SPOOL_DIR"] = folder["spool"],
                    ["SPOOL_VOLATILE"] = "true",
                });
                offered.Add(level);
            }
            catch (InvalidOperationException)
            {
                // It ended instead of starting: an option that it does not take.
            }
        }

        return offered;
    }

    /// <summary>The levels that a round of this name asks for, among those that are offered.</summary>
    internal static IReadOnlyList<string> Of(string name, IReadOnlyList<string> offered) => name == Mixed ? offered : [name];
}
