// Which node a verb talks to, and what it shows there.
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Estat.Base.Network;

namespace Estat.Cli.Frame;

/// <summary>
/// <c>--url</c>, and <c>--token</c> or <c>--key</c>. Secrets come from the environment unless they are given, and are never printed: the options have
/// no default that help could show.
/// </summary>
internal sealed class NodeOptions
{
    private const string DefaultUrl = "http://127.0.0.1:8080";
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);

    private readonly Option<string?> _url = new(
        "--url") { Description = $"The node's address. Without it ESTAT_URL, else {DefaultUrl}", HelpName = "URL" };
    private readonly Option<string?> _token = new("--token")
    {
        Description = "The node's ADMIN_TOKEN. Better set ESTAT_TOKEN, ADMIN_TOKEN or ADMIN_TOKEN_FILE in the environment: other users of this "
            + "machine can read arguments",
        HelpName = "TOKEN",
    };

    private readonly Option<string?> _key = new(
        "--key") { Description = "A write key, sent as X-Api-Key. Better set ESTAT_KEY in the environment", HelpName = "KEY" };

    // Else a verb that sends events: who takes them may be anybody, and learns nothing of the token.
    private bool IsAdmin { get; init; }

    /// <summary>For a verb that asks admin pages.</summary>
    internal static NodeOptions ForAdmin(Command command)
    {
        var options = new NodeOptions { IsAdmin = true };
        command.Options.Add(options._url);
        command.Options.Add(options._token);
        return options;
    }

    /// <summary>For a verb that asks pages that are for everybody.</summary>
    internal static NodeOptions ForEverybody(Command command)
    {
        var options = new NodeOptions();
        command.Options.Add(options._url);
        return options;
    }

    /// <summary>For a verb that sends events.</summary>
    internal static NodeOptions ForEvents(Command command)
    {
        var options = new NodeOptions();
        command.Options.Add(options._url);
        command.Options.Add(options._key);
        return options;
    }

    /// <summary>The node's address, ending with a slash.</summary>
    /// <exception cref="CliException">No http URL.</exception>
    internal Uri Url(ParseResult parsed)
    {
        string text = parsed.GetValue(_url) ?? Environment("ESTAT_URL") ?? DefaultUrl;
        return Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https"
            ? url
            : throw CliException.Usage($"--url {text}: must be an http or https URL, such as {DefaultUrl}");
    }

    /// <summary>The admin token, if one was given.</summary>
    /// <exception cref="CliException">ADMIN_TOKEN_FILE cannot be read.</exception>
    internal string? Token(ParseResult parsed) => parsed.GetValue(_token) ?? TokenOfEnvironment();

    /// <summary>The admin token of the environment: ESTAT_TOKEN, or the server's own options, which a container shares with what is started in
    /// it.</summary>
    /// <exception cref="CliException">ADMIN_TOKEN_FILE cannot be read.</exception>
    internal static string? TokenOfEnvironment() =>
        Environment("ESTAT_TOKEN") ?? Environment("ADMIN_TOKEN") ?? (Environment("ADMIN_TOKEN_FILE") is { } path ? TokenOfFile(path) : null);

    /// <summary>The write key, if one was given.</summary>
    internal string? Key(ParseResult parsed) => parsed.GetValue(_key) ?? Environment("ESTAT_KEY");

    /// <summary>Whether the node was named, rather than taken by default.</summary>
    internal bool IsNamed(ParseResult parsed) => parsed.GetResult(_url) is not null;

    /// <summary>A client of the node that shows it the token, or to one that takes events the key. No time limit of its own: each request has
    /// one.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="connections">Connections at once.</param>
    internal HttpClient Client(ParseResult parsed, int connections = 8) =>
        ClientOf(Url(parsed), IsAdmin ? Token(parsed) : null, IsAdmin ? null : Key(parsed), connections);

    /// <summary>The same for a node that other options name.</summary>
    /// <exception cref="CliException">Token or key cannot be sent.</exception>
    internal static HttpClient ClientOf(Uri url, string? token, string? key, int connections, string agent = "estat")
    {
        var client = new HttpClient(new BrokenConnections(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectLimit,
            MaxConnectionsPerServer = connections,
            AutomaticDecompression = DecompressionMethods.None,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !url.IsLoopback,
            // An id is the bytes that a client sent: one character each.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        }))
        {
            BaseAddress = url,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue(agent, typeof(NodeOptions).Assembly.GetName().Version?.ToString(3)));
        if (token is not null)
        {
            AddSecret(client, "Authorization", $"Bearer {token}", "the token");
        }

        if (key is not null)
        {
            AddSecret(client, "X-Api-Key", key, "the write key");
        }

        return client;
    }

    /// <summary>What a request that got no answer means to the user.</summary>
    internal static string NoAnswer(Uri url, Exception error) =>
        $"{url.GetLeftPart(UriPartial.Authority)} does not answer ({error.GetBaseException().Message.TrimEnd('.')}). Is it running? --url or "
            + $"ESTAT_URL names another";

    /// <summary>A variable of the environment; null where it is empty too.</summary>
    internal static string? Environment(string name) => System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static void AddSecret(HttpClient client, string header, string value, string what)
    {
        if (value.Any(c => c is < ' ' or > '~') || !client.DefaultRequestHeaders.TryAddWithoutValidation(header, value))
        {
            throw CliException.Usage($"{what} has characters that no header can carry");
        }
    }

    private static string TokenOfFile(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CliException.Usage($"ADMIN_TOKEN_FILE={path} cannot be read ({error.Message.TrimEnd('.')})");
        }
    }
}
