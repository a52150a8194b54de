// What is done beside storing: days' partitions are made and dropped. None of it ever keeps a message from being stored.
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>Without a day's partition its rows go to the DEFAULT one. Used by the sink's loop only.</summary>
/// <param name="options">TOPICS_KEEP.</param>
/// <param name="time">Its clock.</param>
internal sealed class SinkChores(TopicsOptions options, TimeProvider time)
{
    private static readonly TimeSpan BetweenChores = TimeSpan.FromHours(1);

    // DDL that waits for a long query makes others wait meanwhile: not often.
    private static readonly TimeSpan AfterFault = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestAfterFault = TimeSpan.FromMinutes(30);
    private readonly DayPartitions _days = new(time);
    private DateTimeOffset _next;
    private DateTimeOffset _nextDays;
    private TimeSpan _wait = AfterFault;

    /// <summary>What could not be made or dropped, and why; null: nothing. Any thread.</summary>
    internal string? Fault { get; private set; }

    /// <summary>Before which time days were dropped; milliseconds since 1970.</summary>
    internal long Cut { get; private set; }

    /// <summary>Does what is due.</summary>
    /// <param name="connection">Without a transaction.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task DoAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() < _next)
        {
            return;
        }

        string? fault = await TryAsync(connection, () => _days.EnsureNearAsync(connection, cancellationToken).AsTask()).ConfigureAwait(false);
        bool isAll = true;
        string? second = await TryAsync(
            connection,
            async () => isAll = await _days.DropAsync(connection, options.Keep, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        Cut = await DayPartitions.CutAsync(connection, cancellationToken).ConfigureAwait(false);
        Fault = fault ?? second;
        _next = time.GetUtcNow() + (Fault is not null ? Longer() : isAll ? BetweenChores : AfterFault);
        _wait = Fault is null ? AfterFault : _wait;
    }

    /// <summary>Makes the partitions of a batch's days, as far as that can be done.</summary>
    /// <param name="connection">Without a transaction.</param>
    /// <param name="days">What the batch needs.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task EnsureAsync(NpgsqlConnection connection, IEnumerable<long> days, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() < _nextDays)
        {
            return;
        }

        // Not of days that were dropped: nothing is stored there.
        IEnumerable<long> kept = days.SkipWhile(day => day < DayPartitions.DayOf(Cut));
        if (await TryAsync(connection, () => _days.EnsureAsync(connection, kept, cancellationToken).AsTask()).ConfigureAwait(false) is { } fault)
        {
            Fault = fault;
            _nextDays = time.GetUtcNow() + Longer();
        }
    }

    private TimeSpan Longer()
    {
        TimeSpan wait = _wait;
        _wait = wait * 2 < LongestAfterFault ? wait * 2 : LongestAfterFault;
        return wait;
    }

    // Null: done. The session stays as it is, unless the connection itself is broken.
    private static async Task<string?> TryAsync(NpgsqlConnection connection, Func<Task> chore)
    {
        try
        {
            await chore().ConfigureAwait(false);
            return null;
        }
        catch (PostgresException error) when (connection.FullState == System.Data.ConnectionState.Open)
        {
            return SqlErrors.Text(error);
        }
    }
}
