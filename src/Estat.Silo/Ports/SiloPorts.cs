// A silo's two ports, for other silos and for gateways: how many may connect, for how long they may say nothing, and from when on.
using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using Estat.Api.Options;
using Estat.Http.Listening;
using Estat.Silo.Clustering;
using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace Estat.Silo.Ports;

/// <summary>Stands between Orleans and its own listeners. Register after TLS: the first bytes of a node are read behind it.</summary>
internal sealed class SiloPorts
{
    // What Orleans allows itself: a length, and as many bytes.
    private const int LengthBytes = 4;
    private const int LongestGreeting = 1024;

    private readonly PortRoom _silos;
    private readonly PortRoom _gateways;
    private readonly int _gatewayPort;

    /// <param name="options">Checked options of a silo.</param>
    /// <param name="most">Connections at once to each port.</param>
    /// <param name="time">The clock of limits.</param>
    /// <param name="onClosed">Counts who was closed.</param>
    /// <param name="logger">Where it is told.</param>
    internal SiloPorts(EstatOptions options, int most, TimeProvider time, Action<string> onClosed, ILogger logger)
    {
        Http.Options.ClusterOptions cluster = options.Cluster;
        _gatewayPort = cluster.SiloClientAddr[0].Port;
        _silos = new PortRoom($"SILO_ADDR={ClusterSetup.EndPointOf(cluster.SiloAddr)}", most, options.Http.HeaderTimeout, time, onClosed, logger);
        _gateways = new PortRoom(
            $"SILO_CLIENT_ADDR={ClusterSetup.EndPointOf(cluster.SiloClientAddr[0])}", most, options.Http.HeaderTimeout, time, onClosed, logger);
    }

    /// <summary>
    /// Shares out the open files that are left for connections: half of them to HTTP at least, and a quarter to each of the two ports at most.
    /// </summary>
    /// <param name="options">Checked options.</param>
    /// <param name="files">What the process may open, and what it needs beside connections.</param>
    /// <returns>Connections to each port, and to HTTP.</returns>
    internal static (int EachPort, int Http) Share(EstatOptions options, OpenFiles files)
    {
        const int PortsAndHttp = 4;
        const int LeastShare = 8; // as HTTP alone has
        long left = files.Limit is { } limit ? Math.Max(limit - files.Reserve, limit / LeastShare) : long.MaxValue;
        int each = (int)Math.Clamp(left / PortsAndHttp, 1, options.Cluster.SiloMaxConnections);
        return (each, (int)Math.Clamp(left - (2L * each), 1, files.Connections));
    }

    /// <summary>Connections to either port now.</summary>
    internal int Connections => _silos.Inside + _gateways.Inside;

    /// <summary>Stands before the listeners that Orleans has registered.</summary>
    internal void Guard(ISiloBuilder silo)
    {
        ServiceDescriptor[] listeners =
        [
            .. silo.Services.Where(service => service.IsKeyedService && service.ServiceType == typeof(IConnectionListenerFactory))
                .Where(service => service.KeyedImplementationFactory is not null),
        ];
        if (listeners.Length != 2)
        {
            throw new InvalidOperationException("Orleans registers its listeners in a new way: change SiloPorts to match");
        }

        foreach (ServiceDescriptor listener in listeners)
        {
            silo.Services.Remove(listener);
            silo.Services.AddKeyedSingleton<IConnectionListenerFactory>(listener.ServiceKey, (services, key) =>
            {
                var inner = (IConnectionListenerFactory)listener.KeyedImplementationFactory!(services, key);
                return new Factory(this, inner, () => services.GetRequiredService<JoinCheck>().Passed);
            });
        }

        silo.Configure<SiloConnectionOptions>(connections =>
        {
            connections.ConfigureSiloInboundConnection(connection => connection.Use(next => context => GreetedAsync(context, next)));
            connections.ConfigureGatewayInboundConnection(connection => connection.Use(next => context => GreetedAsync(context, next)));
        });
    }

    // Looks at the first bytes, and leaves them to Orleans.
    private static async Task GreetedAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        PipeReader input = connection.Transport.Input;
        int needed = LengthBytes;
        while (true)
        {
            ReadResult read = await input.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = read.Buffer;
            needed = buffer.Length >= LengthBytes ? LengthBytes + LengthAt(buffer) : LengthBytes;
            bool isThere = buffer.Length >= needed;
            input.AdvanceTo(buffer.Start, isThere ? buffer.Start : buffer.End);
            if (isThere)
            {
                break;
            }

            if (read.IsCompleted || read.IsCanceled)
            {
                return; // it left without a word
            }
        }

        connection.Features.Get<PortRoom.Visitor>()?.Speak();
        await next(connection).ConfigureAwait(false);
    }

    private static int LengthAt(ReadOnlySequence<byte> buffer)
    {
        Span<byte> bytes = stackalloc byte[LengthBytes];
        buffer.Slice(0, LengthBytes).CopyTo(bytes);
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        return length is >= 0 and <= LongestGreeting ? length : throw new ConnectionAbortedException("no node of a cluster begins like this");
    }

    private sealed class Factory(SiloPorts ports, IConnectionListenerFactory inner, Func<Task> joined) : IConnectionListenerFactory
    {
        /// <inheritdoc/>
        public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            IConnectionListener listener = await inner.BindAsync(endpoint, cancellationToken).ConfigureAwait(false);
            bool isForGateways = endpoint is IPEndPoint address && address.Port == ports._gatewayPort;
            return isForGateways
                ? new GuardedListener(listener, ports._gateways, joined)
                : new GuardedListener(listener, ports._silos, () => Task.CompletedTask);
        }
    }
}
