// Reads the server's account of events over and over while everything else goes wrong.

using Estat.Testing;

namespace Estat.Chaos;

/// <summary>Keeps each reading that does not add up. A server that does not answer is asked again.</summary>
internal sealed class ConservationWatch
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(150);
    private readonly List<string> _violations = [];

    internal IReadOnlyList<string> Violations => _violations;

    /// <summary>Readings so far.</summary>
    internal int Readings { get; private set; }

    internal async Task RunAsync(Node node, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            try
            {
                Check(await node.Server.MetricsAsync().WaitAsync(until));
                await Task.Delay(Between, until);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException)
            {
                await Task.Delay(Between, CancellationToken.None);
            }
        }
    }

    internal void Check(IReadOnlyDictionary<string, double> metrics)
    {
        Readings++;
        if (!Conservation.Holds(metrics))
        {
            _violations.Add($"the counters do not add up: {Conservation.Describe(metrics)}");
        }
    }
}
