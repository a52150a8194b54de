// One row of the option table: name, default, what it takes, what it is for, and how its text becomes a value.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Estat.Base.Options;

namespace Estat.Collect.Options;

/// <summary>An option as users see it. <see cref="Apply"/> throws <see cref="OptionException"/> for a value that it cannot take.</summary>
public sealed record OptionSpec(string Name, string Default, string Takes, string Purpose, Func<EstatOptions, string, EstatOptions> Apply)
{
    internal static OptionSpec Duration(
        string name, TimeSpan byDefault, string least, string most, string purpose, Func<EstatOptions, TimeSpan, EstatOptions> set)
    {
        string takes = $"a duration from {least} to {most}, such as 3s, 2m or 24h";
        if (!GoDuration.TryParse(least, out TimeSpan min) || !GoDuration.TryParse(most, out TimeSpan max))
        {
            throw new ArgumentException("bounds must be Go-style durations", nameof(least));
        }

        return new OptionSpec(name, GoDuration.Format(byDefault), takes, purpose, (options, text) =>
            GoDuration.TryParse(text, out TimeSpan value) && value >= min && value <= max ? set(options, value) : throw Wrong(name, text, takes));
    }

    internal static OptionSpec Number(
        string name, long byDefault, long least, long most, string purpose, Func<EstatOptions, long, EstatOptions> set, string? defaultText = null)
    {
        string takes = string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}");
        return new OptionSpec(name, defaultText ?? byDefault.ToString(CultureInfo.InvariantCulture), takes, purpose,
            (options, text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most
                ? set(options, value)
                : throw Wrong(name, text, takes));
    }

    internal static OptionSpec Fraction(
        string name, string byDefault, double least, double most, string purpose, Func<EstatOptions, double, EstatOptions> set)
    {
        string takes = string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}");
        return new OptionSpec(name, byDefault, takes, purpose, (options, text) =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most
                ? set(options, value)
                : throw Wrong(name, text, takes));
    }

    internal static OptionSpec OneOf<T>(
        string name, string byDefault, (string Text, T Value)[] choices, string purpose, Func<EstatOptions, T, EstatOptions> set)
    {
        string takes = choices.Length == 1 ? choices[0].Text : "one of " + string.Join(", ", choices.Select(choice => choice.Text));
        return new OptionSpec(name, byDefault, takes, purpose, (options, text) =>
        {
            foreach ((string choice, T value) in choices)
            {
                if (string.Equals(choice, text, StringComparison.OrdinalIgnoreCase))
                {
                    return set(options, value);
                }
            }

            throw Wrong(name, text, takes);
        });
    }

    internal static OptionSpec Text(
        string name, string byDefault, string takes, string purpose, Func<string, bool> isValid, Func<EstatOptions, string, EstatOptions> set) =>
        new(name, byDefault, takes, purpose, (options, text) => isValid(text) ? set(options, text) : throw Wrong(name, text, takes));

    internal static OptionSpec Url(string name, string purpose, Func<EstatOptions, Uri, EstatOptions> set)
    {
        const string Takes = "an http or https URL";
        return new OptionSpec(name, "", Takes, purpose,
            (options, text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" ? set(options, url)
                : throw Wrong(name, text, Takes));
    }

    internal static OptionSpec List<T>(
        string name, string byDefault, string takes, string purpose, Func<string, T?> parse, Func<EstatOptions, IReadOnlyList<T>, EstatOptions> set)
        where T : class =>
        new(name, byDefault, takes, purpose,
            (options, text) => set(options, [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(item => parse(item) ?? throw Wrong(name, text, takes))]));

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

    internal static OptionException Wrong(string name, string text, string takes) => new($"{name}={text.ReplaceLineEndings(" ")}: takes {takes}.");
}
