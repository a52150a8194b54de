// HTTP_ADDR: may it be listened on?
using System.Net.Security;
using System.Net.Sockets;
using Estat.Api.Options;
using Estat.Base.Network;
using Estat.Base.Options;

namespace Estat.Cli.Check;

/// <summary>Listens for a moment.</summary>
internal static class PortCheck
{
    private const string Check = "port";

    internal static async Task<Finding> FindAsync(EstatOptions options, CancellationToken cancellationToken)
    {
        if (!ListenAddress.TryParse(options.Http.HttpAddr, out ListenAddress address))
        {
            return Finding.Bad(Check, $"HTTP_ADDR={options.Http.HttpAddr} is not an address", "write host:port or :port");
        }

        try
        {
            using TcpListener listener = address.Address is { } named ? new TcpListener(named, address.Port) : TcpListener.Create(address.Port);
            listener.Start();
            return Finding.Good(Check, $"{options.Http.HttpAddr} is free");
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return await IsEstatAsync(address.Here(options.Http.HttpTlsCert is not null, "/metrics"), cancellationToken).ConfigureAwait(false)
                ? Finding.Warning(Check, $"{options.Http.HttpAddr}: another Estat listens there",
                    "nothing to do if that is the server with this configuration; a second server needs a port of its own")
                : Finding.Bad(Check, $"{options.Http.HttpAddr}: another program listens there",
                    $"stop it (ss -ltnp 'sport = :{address.Port}' names it), or choose another HTTP_ADDR");
        }
        catch (SocketException error)
        {
            return Finding.Bad(
                Check, $"{options.Http.HttpAddr} cannot be listened on ({error.Message})",
                error.SocketErrorCode == SocketError.AccessDenied ? "ports below 1024 need CAP_NET_BIND_SERVICE; choose one above"
                    : "name an address of this machine, or :port for all of them");
        }
    }

    // Any certificate will do: this is the machine itself, and nothing is told to who answers.
    private static async Task<bool> IsEstatAsync(Uri page, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, faults) => faults != SslPolicyErrors.RemoteCertificateNotAvailable;
        using var client = new HttpClient(new BrokenConnections(handler)) { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            string metrics = await client.GetStringAsync(page, cancellationToken).ConfigureAwait(false);
            return metrics.Contains("estat_events", StringComparison.Ordinal);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
