// What is done beside storing: days' partitions are made and dropped. None of it ever keeps a message from being stored.
using System.Data;
using System.Runtime.ExceptionServices;
using Estat.Base.Storage;
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>
/// Without a day's partition its rows go to the DEFAULT one. What breaks the connection ends the session; the next one stores first, and the chore is
/// tried again later. Used by the sink's loop only.
/// </summary>
/// <param name="options">TOPICS_KEEP.</param>
/// <param name="time">Its clock.</param>
internal sealed class SinkChores(TopicsOptions options, TimeProvider time)
{
    private static readonly TimeSpan BetweenChores = TimeSpan.FromHours(1);
    private static readonly TimeSpan BeforeRest = TimeSpan.FromMinutes(1);

    // DDL that waits for a long query makes others wait meanwhile: not often.
    private static readonly Backoff AfterFault = new(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30));
    private readonly DayPartitions _days = new(time);
    private DateTimeOffset _next;
    private DateTimeOffset _nextDays;
    private int _failures;
    private int _failuresOfDays;
    private bool _isCutKnown;
    private volatile string? _fault;
    private volatile string? _faultOfDays;

    /// <summary>What could not be made or dropped, and why; null: nothing. Any thread.</summary>
    internal string? Fault => _fault ?? _faultOfDays;

    /// <summary>Before which time days were dropped; milliseconds since 1970.</summary>
    internal long Cut { get; private set; }

    /// <summary>Does what is due.</summary>
    /// <param name="connection">Without a transaction.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task DoAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() >= _next)
        {
            await DoDueAsync(connection, cancellationToken).ConfigureAwait(false);
        }

        if (!_isCutKnown)
        {
            Cut = await DayPartitions.CutAsync(connection, cancellationToken).ConfigureAwait(false);
            _isCutKnown = true;
        }
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
        Exception? error = await TryAsync(() => _days.EnsureAsync(connection, kept, cancellationToken).AsTask(), cancellationToken)
            .ConfigureAwait(false);
        _failuresOfDays = error is null ? 0 : _failuresOfDays + 1;
        _nextDays = error is null ? default : time.GetUtcNow() + AfterFault.After(_failuresOfDays);
        _faultOfDays = error is null ? null : SqlErrors.Text(error);
        ThrowIfBroken(connection, error);
    }

    // Dropping comes first: where the disk is full, nothing else makes room.
    private async Task DoDueAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        _isCutKnown = false;
        bool isAll = true;
        Exception? error = await TryAsync(
            async () => isAll = await _days.DropAsync(connection, options.Keep, cancellationToken).ConfigureAwait(false), cancellationToken)
            .ConfigureAwait(false);
        if (connection.State == ConnectionState.Open)
        {
            Exception? second = await TryAsync(() => _days.EnsureNearAsync(connection, cancellationToken).AsTask(), cancellationToken)
                .ConfigureAwait(false);
            error ??= second;
        }

        _failures = error is null ? 0 : _failures + 1;
        _next = time.GetUtcNow() + (error is not null ? AfterFault.After(_failures) : isAll ? BetweenChores : BeforeRest);
        _fault = error is null ? null : SqlErrors.Text(error);
        ThrowIfBroken(connection, error);
    }

    private static void ThrowIfBroken(NpgsqlConnection connection, Exception? error)
    {
        if (error is not null && connection.State != ConnectionState.Open)
        {
            ExceptionDispatchInfo.Throw(error);
        }
    }

    // Null: done.
    private static async Task<Exception?> TryAsync(Func<Task> chore, CancellationToken cancellationToken)
    {
        try
        {
            await chore().ConfigureAwait(false);
            return null;
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return error;
        }
    }
}
