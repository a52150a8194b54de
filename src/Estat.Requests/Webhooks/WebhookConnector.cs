// Connections of webhooks: made to addresses that may be called, and to no others.
using System.Net;
using System.Net.Sockets;

namespace Estat.Requests.Webhooks;

/// <summary>Resolves names itself and connects to what it has checked: so a name cannot lead elsewhere between the check and the call.</summary>
/// <param name="addresses">The rule.</param>
internal sealed class WebhookConnector(WebhookAddresses addresses)
{
    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    internal async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        string scheme = context.InitialRequestMessage.RequestUri!.Scheme;
        IPAddress[] found = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken).ConfigureAwait(false);
        IPAddress[] allowed = [.. found.Where(address => addresses.IsAllowed(address, scheme))];
        if (allowed.Length == 0 && found.Length > 0)
        {
            throw new WebhookAddressException($"The endpoint cannot be called: {WebhookAddresses.Why(found[0], scheme)}");
        }

        SocketException? last = null;
        foreach (IPAddress address in allowed)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException error)
            {
                socket.Dispose();
                last = error;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }
}

/// <summary>A name leads to no address that may be called.</summary>
internal sealed class WebhookAddressException(string message) : IOException(message);
