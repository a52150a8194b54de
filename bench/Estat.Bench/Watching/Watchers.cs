// Consoles and tails that read as fast as browsers do.
using System.Globalization;

namespace Estat.Bench.Watching;

/// <summary>Open from the first byte that each has had until they are disposed of.</summary>
internal sealed class Watchers : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly List<Stream> _streams = [];
    private readonly List<Task> _reading = [];
    private readonly long[] _bytes; // one writer each

    private Watchers(int count) => _bytes = new long[count];

    internal static async Task<Watchers> OpenAsync(Uri server, int consoles, int tails)
    {
        var watchers = new Watchers(consoles + tails);
        for (int i = 0; i < consoles + tails; i++)
        {
            Stream stream = await watchers._http.GetStreamAsync(new Uri(server, i < consoles ? "/admin/live" : "/tail?rate=10"));
            watchers._streams.Add(stream);
            watchers._reading.Add(watchers.ReadAsync(stream, i));
        }

        return watchers;
    }

    /// <summary>A watcher that was shown nothing would make the measurement worth nothing.</summary>
    internal void EnsureAllSaw()
    {
        for (int i = 0; i < _bytes.Length; i++)
        {
            if (_bytes[i] < 1000)
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"watcher {i + 1} was shown {_bytes[i]} bytes"));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_reading);
        foreach (Stream stream in _streams)
        {
            await stream.DisposeAsync();
        }

        _http.Dispose();
        _stop.Dispose();
    }

    private async Task ReadAsync(Stream stream, int number)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await stream.ReadAsync(buffer, _stop.Token) is var read and > 0)
            {
                _bytes[number] += read;
            }
        }
        catch (OperationCanceledException)
        {
            // The turn is over.
        }
    }
}
