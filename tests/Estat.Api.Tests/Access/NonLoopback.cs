// This machine as others reach it.
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Estat.Api.Tests.Access;

/// <summary>An address of this machine's that is not loopback: what comes by it comes from elsewhere, for all that a server can tell.</summary>
internal static class NonLoopback
{
    /// <summary>The first of them; skips the test where there is none.</summary>
    internal static IPAddress Address
    {
        get
        {
            IPAddress? own = NetworkInterface.GetAllNetworkInterfaces()
                .Where(one => one.OperationalStatus == OperationalStatus.Up)
                .SelectMany(one => one.GetIPProperties().UnicastAddresses)
                .Select(unicast => unicast.Address)
                .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
            Assert.SkipWhen(own is null, "this machine has no address but loopback");
            return own;
        }
    }
}
