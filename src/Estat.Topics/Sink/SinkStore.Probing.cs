// The sink's storing side: which message an error that lasts belongs to.
using Estat.Topics.Messages;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

internal sealed partial class SinkStore
{
    /// <summary>Looks for a single message behind an error that lasts: by halves, each in a transaction that is undone.</summary>
    /// <param name="batch">What could not be stored.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>A message that alone cannot be stored, while one without a fault can; null: there is none such.</returns>
    internal async Task<Pin?> ProbeAsync(SinkBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            (int from, int to) = (0, batch.Count);
            while (to - from > 1)
            {
                int middle = from + ((to - from) / 2);
                bool isFirst = await ProbeAsync(batch, from, middle, cancellationToken).ConfigureAwait(false) is not null;
                (from, to) = isFirst ? (from, middle) : (middle, to);
            }

            return await ProbeAsync(batch, from, to, cancellationToken).ConfigureAwait(false) is { } error
                && await ProbeAsync(batch.Harmless(from), 0, 1, cancellationToken).ConfigureAwait(false) is null
                ? new(batch.PositionOf(batch.Messages[from]), error)
                : null;
        }
        catch (ElsewhereException)
        {
            return null;
        }
    }

    /// <summary>Whether a message alone still cannot be stored.</summary>
    /// <param name="batch">What it may be in.</param>
    /// <param name="at">Its position.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False too when the database goes on elsewhere, or another one has taken over: the next attempt finds out.</returns>
    internal async Task<bool> IsRefusingAsync(SinkBatch batch, MessagePosition at, CancellationToken cancellationToken)
    {
        int index = Enumerable.Range(0, batch.Count).FirstOrDefault(one => batch.PositionOf(batch.Messages[one]) == at, -1);
        try
        {
            return index >= 0 && await ProbeAsync(batch, index, index + 1, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (ElsewhereException)
        {
            return false;
        }
    }

    // Npgsql gives a connection up after some errors, such as those of class 53 and XX: each probe may need a session of its own.
    private async Task<PostgresException?> ProbeAsync(SinkBatch batch, int from, int to, CancellationToken cancellationToken)
    {
        try
        {
            if ((_session is null && await SynchronizeAsync(cancellationToken).ConfigureAwait(false) != StoreOutcome.Stored)
                || OwnersOf(batch) is not { } owners
                || !await Transaction(batch, owners).ProbeAsync(from, to, cancellationToken).ConfigureAwait(false))
            {
                throw new ElsewhereException();
            }

            return null;
        }
        catch (PostgresException error) when (SqlErrors.MayBeOneMessage(error))
        {
            await CloseAsync().ConfigureAwait(false);
            return error;
        }
    }

    // The batch is not what the database wants next, or not from this sink.
    private sealed class ElsewhereException : Exception;
}
