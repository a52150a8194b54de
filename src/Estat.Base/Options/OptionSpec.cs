// One row of the option table: name, default, what it takes, what it is for, and how its text becomes a value.
using System.Globalization;

namespace Estat.Base.Options;

/// <summary>An option as users see it, of a record of options.</summary>
/// <typeparam name="TOptions">The record; never changed, but copied with what is set.</typeparam>
/// <param name="Name">As in the environment.</param>
/// <param name="Default">What holds without it, as text; empty: it is not set.</param>
/// <param name="Takes">What it takes, for people.</param>
/// <param name="Purpose">What it is for: one or two sentences.</param>
/// <param name="Apply">Sets it; throws <see cref="OptionException"/> for a value that it cannot take.</param>
public sealed record OptionSpec<TOptions>(string Name, string Default, string Takes, string Purpose, Func<TOptions, string, TOptions> Apply)
{
    /// <summary>Whether it stands for all names that begin as it does: its name ends in <c>*</c>.</summary>
    public bool IsFamily => Name.EndsWith('*');

    // Sets one of a family.
    private Func<TOptions, string, string, TOptions>? ApplyMember { get; init; }

    /// <summary>Whether a name is this option's, or one of its family.</summary>
    /// <param name="name">The name.</param>
    /// <param name="comparison">Whether case matters: it does in an environment.</param>
    public bool Covers(string name, StringComparison comparison) => IsFamily
        ? name.Length >= Name.Length && name.AsSpan().StartsWith(Name.AsSpan(0, Name.Length - 1), comparison)
        : Name.Equals(name, comparison);

    /// <summary>Sets it, or the one of its family that has the name.</summary>
    /// <param name="options">The record.</param>
    /// <param name="name">One that it covers.</param>
    /// <param name="text">The value.</param>
    /// <exception cref="OptionException">A value that it cannot take, or no name of its family.</exception>
    public TOptions Set(TOptions options, string name, string text) =>
        ApplyMember is { } member ? member(options, name.ToUpperInvariant(), text) : Apply(options, text);

    /// <summary>The same option of a record that holds this one.</summary>
    /// <param name="part">What holds of the option's own record.</param>
    /// <param name="with">The whole with another part.</param>
    public OptionSpec<TWhole> In<TWhole>(Func<TWhole, TOptions> part, Func<TWhole, TOptions, TWhole> with) =>
        new(Name, Default, Takes, Purpose, (whole, text) => with(whole, Apply(part(whole), text)))
        {
            ApplyMember = ApplyMember is { } member ? (whole, name, text) => with(whole, member(part(whole), name, text)) : null,
        };

    // Options whose names another program defines. The name ends in *; set gets the whole name of the one that was given, in upper case.
    internal static OptionSpec<TOptions> Family(string name, string takes, string purpose, Func<TOptions, string, string, TOptions> set) =>
        new(name, "", takes, purpose, (options, text) => set(options, name, text)) { ApplyMember = set };

    internal static OptionSpec<TOptions> Duration(
        string name, TimeSpan byDefault, string least, string most, string purpose, Func<TOptions, TimeSpan, TOptions> set)
    {
        string takes = $"a duration from {least} to {most}, such as 3s, 2m or 24h";
        if (!GoDuration.TryParse(least, out TimeSpan min) || !GoDuration.TryParse(most, out TimeSpan max))
        {
            throw new ArgumentException("bounds must be Go-style durations", nameof(least));
        }

        return new OptionSpec<TOptions>(name, GoDuration.Format(byDefault), takes, purpose, (options, text) =>
            GoDuration.TryParse(text, out TimeSpan value) && value >= min && value <= max ? set(options, value)
                : throw OptionTexts.Wrong(name, text, takes));
    }

    internal static OptionSpec<TOptions> Number(
        string name, long byDefault, long least, long most, string purpose, Func<TOptions, long, TOptions> set, string? defaultText = null)
    {
        string takes = string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}");
        return new OptionSpec<TOptions>(name, defaultText ?? byDefault.ToString(CultureInfo.InvariantCulture), takes, purpose,
            (options, text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most
                ? set(options, value)
                : throw OptionTexts.Wrong(name, text, takes));
    }

    internal static OptionSpec<TOptions> Fraction(
        string name, string byDefault, double least, double most, string purpose, Func<TOptions, double, TOptions> set)
    {
        string takes = string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}");
        return new OptionSpec<TOptions>(name, byDefault, takes, purpose, (options, text) =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most
                ? set(options, value)
                : throw OptionTexts.Wrong(name, text, takes));
    }

    internal static OptionSpec<TOptions> OneOf<T>(
        string name, string byDefault, (string Text, T Value)[] choices, string purpose, Func<TOptions, T, TOptions> set)
    {
        string takes = choices.Length == 1 ? choices[0].Text : "one of " + string.Join(", ", choices.Select(choice => choice.Text));
        return new OptionSpec<TOptions>(name, byDefault, takes, purpose, (options, text) =>
        {
            foreach ((string choice, T value) in choices)
            {
                if (string.Equals(choice, text, StringComparison.OrdinalIgnoreCase))
                {
                    return set(options, value);
                }
            }

            throw OptionTexts.Wrong(name, text, takes);
        });
    }

    internal static OptionSpec<TOptions> Text(
        string name, string byDefault, string takes, string purpose, Func<string, bool> isValid, Func<TOptions, string, TOptions> set) =>
        new(name, byDefault, takes, purpose, (options, text) => isValid(text) ? set(options, text) : throw OptionTexts.Wrong(name, text, takes));

    internal static OptionSpec<TOptions> Url(string name, string purpose, Func<TOptions, Uri, TOptions> set)
    {
        const string Takes = "an http or https URL";
        return new OptionSpec<TOptions>(name, "", Takes, purpose,
            (options, text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" ? set(options, url)
                : throw OptionTexts.Wrong(name, text, Takes));
    }

    internal static OptionSpec<TOptions> List<T>(
        string name, string byDefault, string takes, string purpose, Func<string, T?> parse, Func<TOptions, IReadOnlyList<T>, TOptions> set)
        where T : class =>
        new(name, byDefault, takes, purpose,
            (options, text) => set(options, [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(item => parse(item) ?? throw OptionTexts.Wrong(name, text, takes))]));
}
