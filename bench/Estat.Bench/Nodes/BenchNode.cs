// Estat.Bench itself as a server: the floor, or what shows how far the generator goes.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Testing;

namespace Estat.Bench.Nodes;

internal sealed class BenchNode : INode
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly ChildProcess _process;
    private readonly HttpClient? _client;

    private BenchNode(ChildProcess process, int port, bool isBare)
    {
        _process = process;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        _client = isBare ? new HttpClient { BaseAddress = Address, Timeout = Patience } : null;
    }

    public Uri Address { get; }

    public TimeSpan CpuTime => _process.CpuTime;

    public long ResidentBytes => Measuring.Processes.ResidentBytes(_process.Id);

    internal static Task<BenchNode> BareAsync(SocketMode sockets) => StartAsync(isBare: true, sockets.Settings(), sockets.Text());

    internal static Task<BenchNode> CeilingAsync() => StartAsync(isBare: false, []);

    public async Task<double?> AllocatedBytesAsync() =>
        _client is null ? null : double.Parse(await _client.GetStringAsync(new Uri("/allocated", UriKind.Relative)), CultureInfo.InvariantCulture);

    public Task SettleAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await _process.DisposeAsync();
    }

    private static async Task<BenchNode> StartAsync(bool isBare, (string Name, string Value)[] settings, params string[] mode)
    {
        int port = FreePort.Next();
        IReadOnlyList<string> command = ChildProcess.DotnetCommand(
            "Estat.Bench", [isBare ? "bare" : "ceiling", port.ToString(CultureInfo.InvariantCulture), .. mode]);
        var node = new BenchNode(
            ChildProcess.Launch(command[^1], command, settings.ToDictionary(setting => setting.Name, setting => setting.Value)), port, isBare);
        await Wait.UntilAsync(node.AnswersAsync, Patience, $"a server on port {port}", () => node._process.AllOutput);
        return node;
    }

    private async Task<bool> AnswersAsync()
    {
        _process.ThrowIfEnded("it answered");
        try
        {
            using var client = new HttpClient();
            using HttpResponseMessage answer = await client.GetAsync(new Uri(Address, "/allocated"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
