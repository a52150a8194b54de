// Finds the rows that the database refuses, and stores the others.
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>
/// Rows go in small portions, each behind a savepoint, in their order. A portion that is refused is cut at the row that COPY names, or in halves
/// where it names none. A row is refused only when it was refused alone.
/// </summary>
/// <param name="writer">Within a transaction.</param>
/// <param name="plan">Is told of each refusal; may then want fewer of the later rows.</param>
internal sealed class RowIsolation(RowWriter writer, BatchPlan plan)
{
    private const int Portion = 500;

    /// <summary>Savepoints that were gone back to.</summary>
    internal int Cuts { get; private set; }

    /// <summary>Stores rows, all but those that are refused.</summary>
    /// <param name="table">Where to.</param>
    /// <param name="isAgain">Whether they may be there already.</param>
    /// <param name="indexes">Their messages, in order.</param>
    /// <param name="onStored">Told which rows were stored, and how many of them were not there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task StoreAsync(
        StoredTable table, bool isAgain, IReadOnlyList<int> indexes, Action<IReadOnlyList<int>, int> onStored, CancellationToken cancellationToken)
    {
        var waiting = new Stack<int[]>(indexes.Chunk(Portion).Reverse());
        while (waiting.TryPop(out int[]? portion))
        {
            int[] wanted = [.. portion.Where(index => plan.Wants(index, table))];
            if (wanted.Length == 0)
            {
                continue;
            }

            await writer.ExecuteAsync("SAVEPOINT portion", cancellationToken).ConfigureAwait(false);
            try
            {
                int added = await writer.WriteAsync(table, isAgain, wanted, cancellationToken).ConfigureAwait(false);
                await writer.ExecuteAsync("RELEASE SAVEPOINT portion", cancellationToken).ConfigureAwait(false);
                onStored(wanted, added);
                continue;
            }
            catch (PostgresException error) when (SqlErrors.IsRefusal(error))
            {
                Cuts++;
                await writer.ExecuteAsync("ROLLBACK TO SAVEPOINT portion; RELEASE SAVEPOINT portion", cancellationToken).ConfigureAwait(false);
                if (wanted.Length > 1)
                {
                    Cut(wanted, SqlErrors.RowOf(error), waiting);
                }
                else
                {
                    plan.Refuse(wanted[0], table, error);
                }
            }
        }
    }

    private static void Cut(int[] rows, int? refused, Stack<int[]> waiting)
    {
        if (refused is not { } row || row >= rows.Length)
        {
            waiting.Push(rows[(rows.Length / 2)..]);
            waiting.Push(rows[..(rows.Length / 2)]);
            return;
        }

        waiting.Push(rows[(row + 1)..]);
        waiting.Push(rows[row..(row + 1)]);
        waiting.Push(rows[..row]);
    }
}
