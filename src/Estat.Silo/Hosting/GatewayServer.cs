// placeholder
using Estat.Core.Options;
namespace Estat.Silo.Hosting;
internal sealed class GatewayServer : INodeServer
{
    internal GatewayServer(EstatOptions options, TimeProvider time, bool isTerminal) { }
    public Task StartAsync() => Task.CompletedTask;
    public Task<int> RunAsync() => Task.FromResult(0);
    public ValueTask DisposeAsync() => default;
}
