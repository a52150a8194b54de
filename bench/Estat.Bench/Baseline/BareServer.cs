// The floor: Kestrel alone, reading the body and answering 200, with the limits and settings of its defaults.
using System.Globalization;
using System.IO.Pipelines;

namespace Estat.Bench.Baseline;

internal static class BareServer
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Serves until killed. <c>GET /allocated</c> says how many bytes were allocated so far.</summary>
    /// <param name="port">Of 127.0.0.1.</param>
    /// <param name="sockets">Where requests are handled: on the thread that polls the sockets, or in the thread pool, which is .NET's
    /// default.</param>
    internal static Task RunAsync(int port, SocketMode sockets)
    {
        // Read once, at the process's first socket.
        Environment.SetEnvironmentVariable(InlineCompletions, sockets == SocketMode.Inline ? "1" : "0");
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseSockets(transport => transport.UnsafePreferInlineScheduling = sockets == SocketMode.Inline);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(port);
        });
        WebApplication app = builder.Build();
        app.Run(static async context =>
        {
            if (context.Request.Path == "/allocated")
            {
                await context.Response.WriteAsync(GC.GetTotalAllocatedBytes().ToString(CultureInfo.InvariantCulture));
                return;
            }

            PipeReader body = context.Request.BodyReader;
            ReadResult read;
            do
            {
                read = await body.ReadAsync();
                body.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        });
        return app.RunAsync();
    }
}
