// The client's side of a health check: for images that have neither a shell nor curl.
using System.Net.Security;
using System.Security.Authentication;
using Estat.Base.Network;
using Estat.Base.Options;
using Estat.Http.Options;

namespace Estat.Node.Running;

/// <summary>
/// <c>--health URL</c>: asks once and says by its exit code whether the answer was a success. Over https the certificate is checked, but for
/// addresses of this machine. <c>--health /path</c> asks the node that the options in the environment start.
/// </summary>
internal static class HealthProbe
{
    private const int Healthy = 0;
    private const int Unhealthy = 1;
    private const int WrongArguments = 2;
    private const string Argument = "--health";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Whether this command line is one of a probe rather than of a server.</summary>
    internal static bool IsAskedFor(string[] args) => args is [Argument, ..];

    /// <summary>Asks.</summary>
    /// <returns>The process' exit code: 0 after an answer 2xx, 1 after another one or none within 3 s, 2 without a URL.</returns>
    internal static async Task<int> RunAsync(string[] args, TextWriter errors)
    {
        string text = args is [Argument, var given] ? given : "";
        Uri? own = OwnUrl(text);
        if ((own ?? AnyUrl(text)) is not { } url)
        {
            await errors.WriteLineAsync($"estat: {Argument} needs a URL, such as http://127.0.0.1:8080/health/ready, or a path, such as "
                + "/health/ready. It asks a path at HTTP_ADDR of this environment").ConfigureAwait(false);
            return WrongArguments;
        }

        bool isOwn = url.IsLoopback || own is not null;

        // Of the machine itself; a proxy for the outside has nothing to say here.
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        // This machine's certificate is for the name that others use, or nobody signed it; and there is nobody between.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, faults) => isOwn || faults == SslPolicyErrors.None;

        using var client = new HttpClient(new BrokenConnections(handler)) { Timeout = Patience };
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(url).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode)
            {
                return Healthy;
            }

            await errors.WriteLineAsync($"{url} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync().ConfigureAwait(false)}")
                .ConfigureAwait(false);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            // What is wrong with a certificate stands below "see inner exception".
            await errors.WriteLineAsync($"{url} did not answer: "
                + $"{(error.InnerException is AuthenticationException inner ? inner.Message : error.Message)}").ConfigureAwait(false);
        }

        return Unhealthy;
    }

    private static Uri? AnyUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" ? url : null;

    // What an image's health check can know: the options that the node beside it was started with.
    private static Uri? OwnUrl(string path)
    {
        return path.StartsWith('/') && ListenAddress.TryParse(Option("HTTP_ADDR") ?? new HttpOptions().HttpAddr, out ListenAddress address)
            ? address.Here(tls: Option("HTTP_TLS_CERT") is not null, path)
            : null;

        static string? Option(string name) => Environment.GetEnvironmentVariable(name)?.Trim() is { Length: > 0 } value ? value : null;
    }
}
