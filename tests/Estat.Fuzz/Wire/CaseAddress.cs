// Every case speaks from an address of its own out of 127.0.0.0/8, which a line's ip then names.
using System.Net;
using System.Net.Sockets;

namespace Estat.Fuzz.Wire;

/// <summary>127.1.0.1 and up are cases; 127.0.0.1 are the canaries.</summary>
internal static class CaseAddress
{
    /// <summary>More cases than this have no address.</summary>
    internal const int Cases = 253 << 16;

    internal static IPAddress Of(int number) => new([127, (byte)(1 + (number >> 16)), (byte)(number >> 8), (byte)number]);

    /// <summary>The case that an address stands for; null: it is none of ours.</summary>
    internal static int? NumberOf(string address)
    {
        if (!IPAddress.TryParse(address, out IPAddress? parsed) || parsed.AddressFamily != AddressFamily.InterNetwork)
        {
            return null;
        }

        byte[] bytes = parsed.GetAddressBytes();
        return bytes[0] == 127 && bytes[1] > 0 ? ((bytes[1] - 1) << 16) | (bytes[2] << 8) | bytes[3] : null;
    }
}
