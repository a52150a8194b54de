// GET /tail: a sample of the events that this node accepts, as they come.
using Microsoft.AspNetCore.Http;
using System.Buffers;
using System.Globalization;
using Estat.Collect.Tailing;
using Estat.Http.Administration;
using Estat.Http.Answering;
using Estat.Lake.Lines;

namespace Estat.Collect.Http;

/// <summary>Gives each watcher lines and, once a second, a note of what it did not get.</summary>
/// <param name="hub">Where accepted events come from.</param>
/// <param name="stopping">Completes when the node begins to drain.</param>
/// <param name="time">Clock of the notes.</param>
internal sealed class TailEndpoint(TailHub hub, Task stopping, TimeProvider time)
{
    /// <summary>Those who may watch at once.</summary>
    internal const int MostWatchers = 20;

    private const int MostPerSecond = 100;
    private const int MostConditions = 10;
    private const int LongestText = 500;
    private const int MostInOneWrite = 64 * 1024;
    private static readonly TimeSpan BetweenNotes = TimeSpan.FromSeconds(1);

    private static readonly Problem WrongRate = Problem.Of(
        StatusCodes.Status400BadRequest,
        string.Create(CultureInfo.InvariantCulture, $"?rate= must be a whole number from 1 to {MostPerSecond}: events a second."));

    private static readonly Problem TooMuch = Problem.Of(
        StatusCodes.Status400BadRequest,
        string.Create(CultureInfo.InvariantCulture,
            $"A filter may have at most {MostConditions} conditions (?where=), and at most {LongestText} characters in each of them and in "
            + $"?contains=."));

    private readonly EventStreams _streams = new(MostWatchers, stopping);

    /// <summary>Handles one request.</summary>
    internal Task HandleAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        int rate = 10;
        if (query.TryGetValue("rate", out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out rate) || rate is < 1 or > MostPerSecond))
        {
            return WrongRate.WriteAsync(context);
        }

        string[] where = [.. query["where"].OfType<string>()];
        string contains = query["contains"].ToString();
        if (where.Length > MostConditions || where.Append(contains).Any(part => part.Length > LongestText))
        {
            return TooMuch.WriteAsync(context);
        }

        EventFilter filter;
        try
        {
            filter = EventFilter.Of(where, contains);
        }
        catch (FormatException error)
        {
            return Problem.Of(StatusCodes.Status400BadRequest, $"?where={error.Message}.").WriteAsync(context);
        }

        return _streams.RunAsync(context, (writer, cancellationToken) => ShowAsync(writer, filter, rate, cancellationToken));
    }

    private async Task ShowAsync(EventWriter writer, EventFilter filter, int rate, CancellationToken cancellationToken)
    {
        using TailWatcher watcher = hub.Watch(filter, rate);
        using var notes = new PeriodicTimer(BetweenNotes, time);
        var frame = new ArrayBufferWriter<byte>();
        Task<bool> note = notes.WaitForNextTickAsync(cancellationToken).AsTask();
        Task<bool> lines = watcher.WaitAsync(cancellationToken).AsTask();
        while (true)
        {
            await Task.WhenAny(note, lines).ConfigureAwait(false);
            frame.ResetWrittenCount();
            if (lines.IsCompleted)
            {
                await lines.ConfigureAwait(false); // its cancellation, if it was that
                while (frame.WrittenCount < MostInOneWrite && watcher.TryRead() is { } line)
                {
                    frame.Write("event: event\ndata: "u8);
                    frame.Write(line);
                    frame.Write("\n\n"u8);
                }

                lines = watcher.WaitAsync(cancellationToken).AsTask();
            }

            if (note.IsCompleted)
            {
                await note.ConfigureAwait(false);
                frame.Write("event: note\ndata: "u8);
                frame.Write(AdminJson.Of(watcher.TakeNote(), AdminJson.Readable.TailNote));
                frame.Write("\n\n"u8);
                note = notes.WaitForNextTickAsync(cancellationToken).AsTask();
            }

            await writer.WriteAsync(frame.WrittenMemory, cancellationToken).ConfigureAwait(false);
        }
    }
}
