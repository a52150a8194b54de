// TOPICS_DATABASE: Npgsql's connection string, or a postgres:// URL as other tools take it.
using System.Globalization;
using Estat.Base.Options;
using Estat.Topics.Options;
using Npgsql;

namespace Estat.Topics.Postgres;

/// <summary>Reads the address of the database.</summary>
internal static class DatabaseAddress
{
    private static readonly string[] Schemes = ["postgres://", "postgresql://"];

    // libpq's names, where Npgsql has others.
    private static readonly Dictionary<string, string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
        ["target_session_attrs"] = "Target Session Attributes",
        ["options"] = "Options",
        ["user"] = "Username",
        ["password"] = "Password",
        ["dbname"] = "Database",
    };

    /// <summary>The address that the options give; null when they give none.</summary>
    /// <param name="options">Options of Topics.</param>
    /// <exception cref="OptionException">It cannot be read.</exception>
    internal static NpgsqlConnectionStringBuilder? Read(TopicsOptions options)
    {
        if (options.Database.Length > 0 && options.DatabaseFile.Length > 0)
        {
            throw new OptionException("TOPICS_DATABASE and TOPICS_DATABASE_FILE are both set: set one of them");
        }

        if (options.DatabaseFile.Length == 0)
        {
            return options.Database.Length == 0 ? null : Parse(options.Database, "TOPICS_DATABASE");
        }

        string text;
        try
        {
            text = File.ReadAllText(options.DatabaseFile).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"TOPICS_DATABASE_FILE={options.DatabaseFile} cannot be read: {error.Message}");
        }

        return text.Length > 0
            ? Parse(text, "TOPICS_DATABASE_FILE")
            : throw new OptionException($"TOPICS_DATABASE_FILE={options.DatabaseFile} is empty: it must hold a postgres:// URL or Npgsql's string");
    }

    /// <summary>Reads a connection string or a URL. No message holds the text: there is a password in it.</summary>
    /// <param name="text">What the operator gave.</param>
    /// <param name="option">Its option's name, for messages.</param>
    /// <exception cref="OptionException">It cannot be read.</exception>
    internal static NpgsqlConnectionStringBuilder Parse(string text, string option)
    {
        try
        {
            string? scheme = Array.Find(Schemes, known => text.StartsWith(known, StringComparison.OrdinalIgnoreCase));
            NpgsqlConnectionStringBuilder address = scheme is null ? new(text) : ParseUrl(text[scheme.Length..]);
            return string.IsNullOrEmpty(address.Host) ? throw new ArgumentException("it names no host") : address;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or OverflowException)
        {
            throw new OptionException(
                $"{option} is no address of a PostgreSQL: {error.Message.ReplaceLineEndings(" ")}. Give "
                + "postgres://user:password@host:5432/database, or Host=…;Username=…;Password=…;Database=…");
        }
    }

    private static NpgsqlConnectionStringBuilder ParseUrl(string rest)
    {
        var address = new NpgsqlConnectionStringBuilder();
        string[] questioned = rest.Split('?', 2);
        int slash = questioned[0].IndexOf('/', StringComparison.Ordinal);
        string place = slash < 0 ? questioned[0] : questioned[0][..slash];
        if (slash >= 0 && slash + 1 < questioned[0].Length)
        {
            address.Database = Uri.UnescapeDataString(questioned[0][(slash + 1)..]);
        }

        int at = place.LastIndexOf('@');
        if (at >= 0)
        {
            string[] who = place[..at].Split(':', 2);
            address.Username = Uri.UnescapeDataString(who[0]);
            address.Password = who.Length > 1 ? Uri.UnescapeDataString(who[1]) : null;
            place = place[(at + 1)..];
        }

        // Several hosts, and an IPv6 address in brackets, are as Npgsql takes them; a port alone has an option of its own.
        int colon = place.LastIndexOf(':');
        if (!place.Contains(',', StringComparison.Ordinal) && colon > place.LastIndexOf(']'))
        {
            // Not by what int.Parse says: a password with a slash ends here.
            address.Port = int.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
                ? port
                : throw new ArgumentException("its port is no number (are all of : / @ ? in user and password written as %3A %2F %40 %3F?)");
            place = place[..colon];
        }

        address.Host = Uri.UnescapeDataString(place).Trim('[', ']');
        foreach (string pair in questioned.Length > 1 ? questioned[1].Split('&', StringSplitOptions.RemoveEmptyEntries) : [])
        {
            string[] halves = pair.Split('=', 2);
            string name = Uri.UnescapeDataString(halves[0]);
            string value = halves.Length > 1 ? Uri.UnescapeDataString(halves[1]) : "";
            // libpq writes verify-full, Npgsql VerifyFull.
            bool isMode = name.Equals("sslmode", StringComparison.OrdinalIgnoreCase);
            try
            {
                address[Names.GetValueOrDefault(name, name)] = isMode ? value.Replace("-", "", StringComparison.Ordinal) : value;
            }
            catch (Exception error) when (error is ArgumentException or FormatException or OverflowException)
            {
                // What was said may hold the value, or what a password that holds a question mark left.
                throw new ArgumentException("one of its settings behind ? is not known, or its value is none");
            }
        }

        return address;
    }
}
