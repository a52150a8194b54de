// An order to a node, or to every node of its cluster that keeps events.
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Estat.Cli.Frame;

namespace Estat.Cli.Uploads;

/// <summary>What <c>estat flush</c> and <c>estat retry</c> share: which nodes, and that one which does not answer keeps no other from the
/// order.</summary>
internal sealed class NodeOrders
{
    private readonly NodeOptions _node;
    private readonly Option<string?> _name = new("--node")
    {
        Description = "Only this node of the cluster that --url belongs to. Without it, every node that keeps events", HelpName = "name",
    };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object for each node, one a line" };

    internal NodeOrders(Command command)
    {
        _node = NodeOptions.ForAdmin(command);
        command.Options.Add(_name);
        command.Options.Add(_json);
    }

    /// <summary>Orders each node in turn, and says what it answered.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="shell">Where to say it.</param>
    /// <param name="path">Such as <c>admin/uploads/flush</c>.</param>
    /// <param name="type">The answer.</param>
    /// <param name="inWords">The answer for people.</param>
    /// <param name="fault">Why the node did not do it; null when it did.</param>
    /// <returns>Exit code.</returns>
    internal async Task<int> GiveAsync<T>(
        ParseResult parsed, Shell shell, string path, JsonTypeInfo<T> type, Func<T, string> inWords, Func<T, string?> fault)
        where T : INodeAnswer
    {
        using var admin = AdminClient.Of(_node, parsed, shell);
        int failed = 0;
        foreach ((string name, string? silent) in await NodesAsync(parsed, admin, shell.Asked).ConfigureAwait(false))
        {
            string? why = silent;
            if (why is null)
            {
                try
                {
                    T answer = await OrderAsync(admin, path, name, type, shell.Asked).ConfigureAwait(false);
                    why = fault(answer);
                    if (parsed.GetValue(_json))
                    {
                        answer.Node = name;
                        shell.Say(JsonSerializer.Serialize(answer, type));
                    }
                    else if (why is null)
                    {
                        shell.Say($"{Shell.Printable(name)}: {inWords(answer)}");
                    }
                }
                catch (CliException error) when (!shell.Interruption.IsAsked)
                {
                    why = error.Message;
                }
            }

            if (why is not null)
            {
                failed++;
                shell.Note($"estat: {Shell.Printable($"{name}: {why}")}");
            }
        }

        return failed == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<T> OrderAsync<T>(
        AdminClient admin, string path, string name, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await admin.ChangeAsync(HttpMethod.Post, $"{path}?node={Uri.EscapeDataString(name)}", cancellationToken)
            .ConfigureAwait(false);
        return answer.IsSuccessStatusCode ? await admin.ReadAsync(answer, type, cancellationToken).ConfigureAwait(false)
            : throw new CliException(await ProblemText.RefusalAsync(answer, cancellationToken).ConfigureAwait(false));
    }

    // With why it is of no use, for those that do not answer.
    private async Task<IReadOnlyList<(string Name, string? Silent)>> NodesAsync(
        ParseResult parsed, AdminClient admin, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_name) is { } one)
        {
            return [(one, null)];
        }

        return await Keepers.ReadAsync(admin, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>An answer that says whose it is.</summary>
internal interface INodeAnswer
{
    /// <summary>The node's name; the command line fills it in.</summary>
    string? Node { get; set; }
}

/// <summary>What POST /admin/uploads/flush answers.</summary>
internal sealed record FlushAnswer : INodeAnswer
{
    /// <inheritdoc/>
    [JsonPropertyOrder(-1)]
    public string? Node { get; set; }

    /// <summary>Batches that it ended.</summary>
    public required int Batches { get; init; }

    /// <summary>Events in them.</summary>
    public required long Events { get; init; }
}

/// <summary>What POST /admin/uploads/retry answers.</summary>
internal sealed record RetryAnswer : INodeAnswer
{
    /// <inheritdoc/>
    [JsonPropertyOrder(-1)]
    public string? Node { get; set; }

    /// <summary>due or failed.</summary>
    public required string Outcome { get; init; }

    /// <summary>Batches of the spool.</summary>
    public required int Segments { get; init; }

    /// <summary>Files of the DLQ.</summary>
    public required int Files { get; init; }

    /// <summary>Why storage does not answer.</summary>
    public string? Detail { get; init; }
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FlushAnswer))]
[JsonSerializable(typeof(RetryAnswer))]
internal sealed partial class OrdersJson : JsonSerializerContext;
