// Brings rows of a batch into one table, by COPY.
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>Writes rows within the transaction that the connection has open. One user at a time.</summary>
/// <param name="connection">In a transaction.</param>
/// <param name="batch">Whose rows they are.</param>
internal sealed class RowWriter(NpgsqlConnection connection, SinkBatch batch)
{
    // So that the server works on one part while the next one is sent.
    private const int Portion = 256 << 10;

    /// <summary>Writes rows.</summary>
    /// <param name="table">Where to.</param>
    /// <param name="isAgain">Whether they may be there already: those stay as they are.</param>
    /// <param name="indexes">Their messages, in order.</param>
    /// <param name="cancellationToken">Ends it; the transaction is of no use then.</param>
    /// <returns>Rows that were not there.</returns>
    /// <exception cref="PostgresException">The transaction, or what was done since the last savepoint, must be undone.</exception>
    internal async Task<int> WriteAsync(StoredTable table, bool isAgain, IReadOnlyList<int> indexes, CancellationToken cancellationToken)
    {
        if (!isAgain)
        {
            await CopyAsync(table.Copy, table, indexes, cancellationToken).ConfigureAwait(false);
            return indexes.Count;
        }

        await ExecuteAsync(table.MakeAgain, cancellationToken).ConfigureAwait(false);
        await CopyAsync(table.CopyAgain, table, indexes, cancellationToken).ConfigureAwait(false);
        int added = await ExecuteAsync(table.InsertAgain, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(table.EmptyAgain, cancellationToken).ConfigureAwait(false);
        return added;
    }

    /// <summary>Runs a statement.</summary>
    /// <param name="sql">Without parameters.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Rows that it touched.</returns>
    internal async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task CopyAsync(string sql, StoredTable table, IReadOnlyList<int> indexes, CancellationToken cancellationToken)
    {
        NpgsqlRawCopyStream stream = await connection.BeginRawBinaryCopyAsync(sql, cancellationToken).ConfigureAwait(false);
        try
        {
            await stream.WriteAsync(CopyBuffer.Header, cancellationToken).ConfigureAwait(false);
            CopyBuffer rows = table.Ordinal < 0 ? batch.Rows : batch.TypedRows[table.Ordinal];
            (int from, int to) = (0, 0);
            foreach (int index in indexes)
            {
                (int start, int length) = Row(table, index);
                // Rows that lie side by side go together.
                if (start != to || to - from >= Portion)
                {
                    await stream.WriteAsync(rows.Slice(from, to - from), cancellationToken).ConfigureAwait(false);
                    from = start;
                }

                to = start + length;
            }

            await stream.WriteAsync(rows.Slice(from, to - from), cancellationToken).ConfigureAwait(false);
            await stream.WriteAsync(CopyBuffer.Trailer, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await GiveUpAsync(stream).ConfigureAwait(false);
            throw;
        }

        await stream.DisposeAsync().ConfigureAwait(false);
    }

    private (int Start, int Length) Row(StoredTable table, int index)
    {
        ref readonly BatchMessage message = ref batch.Messages[index];
        return table.Ordinal < 0 ? message.Row : message.Typed;
    }

    // Closing it would end the COPY as if all had been sent.
    private static async Task GiveUpAsync(NpgsqlRawCopyStream stream)
    {
        try
        {
            await stream.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or InvalidOperationException or ObjectDisposedException)
        {
            // What ended the writing is told by the caller.
        }
    }
}
