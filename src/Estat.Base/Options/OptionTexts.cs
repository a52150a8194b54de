// What options of several parts take, and the words for a value that is none.
using System.Net;
using System.Net.Sockets;

namespace Estat.Base.Options;

/// <summary>Rules that rows of the option tables share.</summary>
internal static class OptionTexts
{
    /// <summary>Whether the text can be a path.</summary>
    internal static bool IsPath(string text) => text.IndexOf('\0', StringComparison.Ordinal) < 0;

    // Strictly: .NET reads 010.0.0.0 as 8.0.0.0, and 127.1 as an address. IPv4 in IPv6 is compared as IPv4.
    internal static IPNetwork? ParseNetwork(string text)
    {
        const int MappedBits = 96;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string written = slash < 0 ? text : text[..slash];
        if (!IPAddress.TryParse(written, out IPAddress? address) || written.AsSpan().ContainsAny("%[]")
            || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != written))
        {
            return null;
        }

        IPNetwork network = slash < 0 ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : IPNetwork.TryParse(text, out IPNetwork parsed) ? parsed
            : default;
        return network == default ? null
            : !address.IsIPv4MappedToIPv6 ? network
            : network.PrefixLength < MappedBits ? null
            : new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedBits);
    }

    internal static OptionException Wrong(string name, string text, string takes) => new($"{name}={text.ReplaceLineEndings(" ")}: must be {takes}.");
}
