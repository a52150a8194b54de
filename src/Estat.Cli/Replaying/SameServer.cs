// A replay into a server that writes to where the objects come from would feed itself.
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Replaying;

/// <summary>Asks the server where it writes. It answers to its own machine, or to a token of the environment.</summary>
internal static class SameServer
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Refuses the same place. A server that does not say is let pass with a note: objects that opened after the begin are never read, so
    /// nothing runs in circles.</summary>
    /// <exception cref="CliException">It writes there.</exception>
    internal static async Task RefuseAsync(Shell shell, Uri url, ReplaySource source, bool isAllowed)
    {
        if (isAllowed || !source.IsLake)
        {
            return;
        }

        if (await AskAsync(url, shell.Asked).ConfigureAwait(false) is not { } place)
        {
            shell.Note($"{url} does not say where it writes. If it writes to where these objects come from, their events will be there twice (the "
                + "replay still ends: it does not read objects opened after this moment)");
            return;
        }

        bool isSame = place.Storage == source.Store.Description
            && (source.Range.Prefix.StartsWith(place.Prefix, StringComparison.Ordinal)
                || place.Prefix.StartsWith(source.Range.Prefix, StringComparison.Ordinal));
        if (isSame)
        {
            throw new CliException($"{url} writes to {place.Storage}/{place.Prefix}, where these objects come from: their events would be there "
                + "twice. To do it anyway, give --into-same: it sends what is there now");
        }
    }

    private static async Task<(string Storage, string Prefix)?> AskAsync(Uri url, CancellationToken asked)
    {
        // this machine's own token is nobody else's business
        string? token = url.IsLoopback ? NodeOptions.TokenOfEnvironment() : NodeOptions.Environment("ESTAT_TOKEN");
        using HttpClient client = NodeOptions.ClientOf(url, token, key: null, connections: 1);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(asked);
        limit.CancelAfter(Limit);
        try
        {
            using JsonDocument state = JsonDocument.Parse(
                await client.GetStringAsync(new Uri("admin/state", UriKind.Relative), limit.Token).ConfigureAwait(false));
            JsonElement node = state.RootElement.GetProperty("node");
            return (node.GetProperty("storage").GetString(), node.GetProperty("raw_prefix").GetString()) is ({ } storage, { } prefix)
                ? (storage, prefix + "/") : null;
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException
            || (error is OperationCanceledException && !asked.IsCancellationRequested))
        {
            return null; // told by the caller
        }
    }
}
