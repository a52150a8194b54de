// The load itself.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Estat.Cli.Frame;

namespace Estat.Cli.Bench;

/// <summary>One task a connection. Latencies go into a histogram of fixed size: a day's run needs no more memory than a second's.</summary>
internal sealed class BenchRun(HttpClient client, BenchLoad load, TimeProvider time, Progress progress, CancellationToken asked)
{
    private const double WarmUp = 0.2;
    private const int BucketsPerDoubling = 32;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    private readonly long[] _latencies = new long[BucketsPerDoubling * 40];
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private long _started;
    private long _measuredFrom;
    private long _next;
    private long _taken;
    private long _refused;
    private long _failed;
    private long _slowest;
    private string? _firstFailure;

    internal async Task<BenchResult> MeasureAsync()
    {
        _started = time.GetTimestamp();
        TimeSpan warmUp = load.Time * WarmUp;
        _measuredFrom = _started + (long)(warmUp.TotalSeconds * time.TimestampFrequency);
        TimeSpan whole = warmUp + load.Time;
        TimeSpan cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
        progress.Set(0, (long)whole.TotalMilliseconds);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(asked);
        end.CancelAfter(whole);
        using (time.CreateTimer(_ => Report(), null, TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200)))
        {
            await Task.WhenAll(Enumerable.Range(0, load.Connections).Select(_ => Task.Run(() => ConnectionAsync(end.Token), CancellationToken.None)))
                .ConfigureAwait(false);
        }

        double elapsed = time.GetElapsedTime(_started).TotalSeconds;
        double seconds = Math.Max(0.001, Math.Min(load.Time.TotalSeconds, time.GetElapsedTime(_measuredFrom).TotalSeconds));
        return new BenchResult
        {
            Taken = Volatile.Read(ref _taken),
            Refused = Volatile.Read(ref _refused),
            Failed = Volatile.Read(ref _failed),
            Seconds = seconds,
            P50 = Percentile(0.5),
            P90 = Percentile(0.9),
            P99 = Percentile(0.99),
            Slowest = Volatile.Read(ref _slowest) / 1000.0,
            OwnCpus = (Process.GetCurrentProcess().TotalProcessorTime - cpuBefore).TotalSeconds / elapsed,
            FirstFailure = _firstFailure,
        };
    }

    private async Task ConnectionAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            long number = Interlocked.Increment(ref _next) - 1;
            long due = time.GetTimestamp();
            if (load.Rate is { } rate)
            {
                due = _started + (long)(number / rate * time.TimestampFrequency);
                TimeSpan early = TimeSpan.FromSeconds((due - time.GetTimestamp()) / (double)time.TimestampFrequency);
                if (early > TimeSpan.Zero)
                {
                    try
                    {
                        await Task.Delay(early, time, end).ConfigureAwait(false);
                    }
                    catch (OperationCanceledException)
                    {
                        return;
                    }
                }
            }

            await OneAsync(number, due).ConfigureAwait(false);
        }
    }

    private async Task OneAsync(long number, long due)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(load.Batch > 1 ? "collect/batch" : "collect", UriKind.Relative))
        {
            Content = new ByteArrayContent(BodyOf(number)),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", load.Batch > 1 ? "application/x-ndjson" : "application/json");
        if (load.Ack is not null)
        {
            request.Headers.Add("X-Estat-Ack", load.Ack);
        }

        string? failure = null;
        HttpStatusCode status = default;
        try
        {
            using var limit = new CancellationTokenSource(AnswerLimit, time);
            using HttpResponseMessage answer = await client.SendAsync(request, limit.Token).ConfigureAwait(false);
            status = answer.StatusCode;
            if (status is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound)
            {
                throw new CliException(await ProblemText.RefusalAsync(answer, limit.Token).ConfigureAwait(false));
            }

            failure = answer.IsSuccessStatusCode ? null : $"{(int)status} {await ProblemText.OfAsync(answer, limit.Token).ConfigureAwait(false)}";
        }
        catch (HttpRequestException error)
        {
            failure = NodeOptions.NoAnswer(client.BaseAddress!, error);
            if (Volatile.Read(ref _taken) + Volatile.Read(ref _refused) == 0 && due < _measuredFrom
                && error.HttpRequestError == HttpRequestError.ConnectionError)
            {
                throw new CliException(failure);
            }
        }
        catch (OperationCanceledException)
        {
            failure = $"no answer within {AnswerLimit.TotalSeconds:0} s";
        }

        if (time.GetTimestamp() >= _measuredFrom)
        {
            Count(due, status, failure);
        }

        if (failure is not null && status != HttpStatusCode.OK)
        {
            // a node that refuses is not helped by a storm
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void Count(long due, HttpStatusCode status, string? failure)
    {
        if (failure is null)
        {
            Interlocked.Add(ref _taken, load.Batch);
            long micros = (long)time.GetElapsedTime(due).TotalMicroseconds;
            Interlocked.Increment(ref _latencies[BucketOf(micros)]);
            InterlockedMax(ref _slowest, micros);
        }
        else if (status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            Interlocked.Increment(ref _refused);
        }
        else
        {
            Interlocked.Increment(ref _failed);
            Interlocked.CompareExchange(ref _firstFailure, failure, null);
        }
    }

    private byte[] BodyOf(long number)
    {
        var text = new StringBuilder();
        for (int i = 0; i < load.Batch; i++)
        {
            string head = string.Create(CultureInfo.InvariantCulture, $"{{\"bench\":\"{_run}\",\"n\":{(number * load.Batch) + i},\"filler\":\"");
            text.Append(head);
            // Not all one letter: gzip is to have the work that it has with others.
            for (int rest = load.EventBytes - head.Length - 2; rest > 0; rest -= 16)
            {
                text.Append(unchecked((ulong)(number + rest) * 0x9E3779B97F4A7C15).ToString("x16", CultureInfo.InvariantCulture)
                    .AsSpan(0, Math.Min(16, rest)));
            }

            text.Append(load.Batch > 1 ? "\"}\n" : "\"}");
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private void Report()
    {
        TimeSpan elapsed = time.GetElapsedTime(_started);
        progress.Set(Math.Min((long)elapsed.TotalMilliseconds, progress.Total), progress.Total);
        double measured = time.GetElapsedTime(_measuredFrom).TotalSeconds;
        progress.Detail = measured > 0 ? $"{Words.Count((long)(Volatile.Read(ref _taken) / measured))} events/s" : "warming up";
    }

    // Logarithmic: each bucket is 2.2 % wide.
    private static int BucketOf(long micros) =>
        Math.Clamp((int)(Math.Log2(Math.Max(1, micros)) * BucketsPerDoubling), 0, (BucketsPerDoubling * 40) - 1);

    private double Percentile(double fraction)
    {
        long all = _latencies.Sum();
        long wanted = (long)Math.Ceiling(all * fraction);
        long seen = 0;
        for (int i = 0; i < _latencies.Length && all > 0; i++)
        {
            seen += _latencies[i];
            if (seen >= wanted)
            {
                return Math.Min(Math.Pow(2, (i + 0.5) / BucketsPerDoubling), Volatile.Read(ref _slowest)) / 1000;
            }
        }

        return 0;
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (long seen = Volatile.Read(ref target); value > seen;)
        {
            long before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }
}
