// The DLQ of a running node, through its admin pages.
using System.Globalization;
using System.Net;
using Estat.Cli.Frame;

namespace Estat.Cli.Dlq;

/// <summary>See docs/admin-api.md.</summary>
internal sealed class NodeDlq(AdminClient admin) : IDlqSource
{
    /// <inheritdoc/>
    public string Description => admin.Url.GetLeftPart(UriPartial.Authority);

    /// <inheritdoc/>
    public async Task<DlqPage> PageAsync(int limit, string? after, CancellationToken cancellationToken) =>
        await admin.GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"admin/dlq?limit={limit}{(after is null ? "" : $"&after={Uri.EscapeDataString(after)}")}"),
            DlqJson.Default.DlqPage, cancellationToken)
            .ConfigureAwait(false)
        ?? throw new CliException($"{Description} has no /admin/dlq. Is it a node of this version? A gateway keeps no events: name a silo by --node");

    /// <inheritdoc/>
    public Task<DlqFile?> ShowAsync(string name, int lines, CancellationToken cancellationToken) =>
        admin.GetAsync(string.Create(CultureInfo.InvariantCulture, $"{Path(name)}?lines={Math.Max(lines, 1)}"), DlqJson.Default.DlqFile,
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CopyAsync(string name, FileStream target, CancellationToken cancellationToken) =>
        admin.CopyAsync($"{Path(name)}/content", target, cancellationToken);

    /// <inheritdoc/>
    public async Task<DlqOutcome> RetryAsync(string name, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await admin.ChangeAsync(HttpMethod.Post, $"{Path(name)}/retry", cancellationToken).ConfigureAwait(false);
        return answer.StatusCode switch
        {
            HttpStatusCode.NotFound => new DlqOutcome { Outcome = DlqOutcomes.Gone },
            HttpStatusCode.Conflict => new DlqOutcome { Outcome = DlqOutcomes.Busy },
            HttpStatusCode.OK => await admin.ReadAsync(answer, DlqJson.Default.DlqOutcome, cancellationToken).ConfigureAwait(false),
            _ => new DlqOutcome { Outcome = DlqOutcomes.Failed, Detail = await ProblemText.RefusalAsync(answer, cancellationToken)
                .ConfigureAwait(false) },
        };
    }

    /// <inheritdoc/>
    public async Task<long?> DiscardAsync(string name, long events, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await admin.ChangeAsync(
            HttpMethod.Delete, string.Create(CultureInfo.InvariantCulture, $"{Path(name)}?events={events}"), cancellationToken).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        if (!answer.IsSuccessStatusCode)
        {
            throw new CliException($"{name}: {await ProblemText.RefusalAsync(answer, cancellationToken).ConfigureAwait(false)}");
        }

        return (await admin.ReadAsync(answer, DlqJson.Default.DlqDiscarded, cancellationToken).ConfigureAwait(false)).Discarded;
    }

    /// <inheritdoc/>
    public void Dispose() => admin.Dispose();

    private static string Path(string name) => $"admin/dlq/{Uri.EscapeDataString(name)}";
}
