// Copies dead letters to the queue, for alarms and tools that look there.
using System.Collections.Concurrent;
using Estat.Base.Logging;
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Aws.Searching;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.DeadLetters;

/// <summary>
/// The table is the truth, the queue has copies: each at least once. A dead letter says whether it was copied, so that neither an outage of SQS nor
/// the end of a node loses one. A copy that is taken out of the queue changes nothing here.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
/// <param name="search">Reads requests.</param>
/// <param name="queue">Where they go.</param>
/// <param name="isOwn">Whether this node decides a campaign.</param>
/// <param name="logger">Where failures are told.</param>
internal sealed partial class DeadLetterCopies(
    DynamoTable table, CampaignBook book, TableSearch search, DeadLetterQueue queue, Func<string, bool> isOwn, ILogger logger)
{
    // Dead letters that are read at once.
    private const int Page = 100;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(10);

    // Campaigns that may have dead letters without a copy.
    private readonly ConcurrentDictionary<string, bool> _open = new(StringComparer.Ordinal);
    private readonly HashSet<string> _owned = new(StringComparer.Ordinal);
    private readonly ToldFault _trouble = new();

    /// <summary>Requests of a campaign have moved.</summary>
    internal void OnMoved(Campaign campaign, IReadOnlyList<RequestRecord> requests)
    {
        if (requests.Any(request => request.State == RequestState.FailedFinal))
        {
            _open[campaign.Id] = true;
        }
    }

    /// <summary>Runs until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Look, cancellationToken).ConfigureAwait(false);
            try
            {
                NoteOwned();
                foreach (string campaign in _open.Keys)
                {
                    _open.TryRemove(campaign, out _); // before it is read: who comes later is seen the next time
                    await CopyAsync(campaign, cancellationToken).ConfigureAwait(false);
                }

                if (_trouble.Lasts)
                {
                    _trouble.End();
                    LogWorks(logger);
                }
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                if (_trouble.IsNews())
                {
                    LogFails(logger, error.Message);
                }

                await Task.Delay(AfterFailure, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Of a campaign that this node has taken over it does not know what was copied.
    private void NoteOwned()
    {
        foreach (CampaignState state in book.All)
        {
            // Of a campaign that is finished, and so nobody's, any node may copy: at least once is promised.
            if (!isOwn(state.Id) && state.IsUnfinished)
            {
                _owned.Remove(state.Id);
            }
            else if (_owned.Add(state.Id) && state.Campaign.Counts.Failed > 0)
            {
                _open[state.Id] = true;
            }
        }
    }

    private async Task CopyAsync(string campaign, CancellationToken cancellationToken)
    {
        try
        {
            string? from = null;
            List<Item> page;
            do
            {
                page = await table.QueryAsync(Keys.DeadLettersOf(campaign), from, most: Page, cancellationToken: cancellationToken)
                    .ConfigureAwait(false);
                await CopyAsync(campaign, page, cancellationToken).ConfigureAwait(false);
                from = page.Count > 0 ? page[^1].Key.Sk + "0" : null; // behind the last one
            }
            while (page.Count == Page);
        }
        catch
        {
            _open[campaign] = true;
            throw;
        }
    }

    private async Task CopyAsync(string campaign, List<Item> letters, CancellationToken cancellationToken)
    {
        foreach (Item[] some in letters.Where(letter => !letter.Has(DeadLetterItem.Copied)).Chunk(DeadLetterQueue.AtOnce))
        {
            List<RequestRecord> requests =
            [
                .. (await search.ReadAsync([.. some.Select(DeadLetterItem.IdOf)], cancellationToken).ConfigureAwait(false))
                    .Where(request => request.State == RequestState.FailedFinal),
            ];
            if (requests.Count == 0)
            {
                continue; // redriven meanwhile
            }

            IReadOnlyList<RequestRecord> sent = await queue.SendAsync(campaign, requests, cancellationToken).ConfigureAwait(false);
            foreach (RequestRecord request in sent)
            {
                await table.UpdateAsync(
                    DeadLetterItem.IsCopied(Keys.DeadLetter(campaign, request.Sequence), request.Generation), cancellationToken)
                    .ConfigureAwait(false);
            }

            if (sent.Count < requests.Count)
            {
                throw new StoreException($"REQUESTS_DLQ_URL refused {requests.Count - sent.Count} of {requests.Count} messages");
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Dead letters cannot be copied to REQUESTS_DLQ_URL and wait in the table: {Error}")]
    private static partial void LogFails(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Dead letters are copied to REQUESTS_DLQ_URL again")]
    private static partial void LogWorks(ILogger logger);
}
