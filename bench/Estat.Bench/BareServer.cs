// The floor: Kestrel alone, reading the body and answering 200, with the limits and settings of its defaults.
using System.Globalization;
using System.IO.Pipelines;

namespace Estat.Bench;

internal static class BareServer
{
    /// <summary>Serves until killed. <c>GET /allocated</c> says how many bytes were allocated so far.</summary>
    internal static Task RunAsync(int port)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
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
