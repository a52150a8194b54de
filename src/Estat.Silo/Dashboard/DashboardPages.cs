// The Orleans Dashboard below /orleans, in a pipeline of its own: events must not pay for its routing.
using System.Diagnostics;
using Estat.Http.Access;
using Estat.Http.Answering;
using Orleans.Dashboard;

namespace Estat.Silo.Dashboard;

/// <summary>Adds the dashboard to a silo and answers its pages.</summary>
internal static class DashboardPages
{
    private const string Prefix = "/orleans";

    /// <summary>Adds what the pages read.</summary>
    internal static void Add(ISiloBuilder silo)
    {
        silo.AddDashboard(options => options.HideTrace = true); // it would take Estat's log lines, which go elsewhere
        silo.Services.AddRouting();
        silo.Services.AddSingleton(_ => new DiagnosticListener("Microsoft.AspNetCore"));
    }

    /// <summary>The pages.</summary>
    /// <param name="services">The silo's.</param>
    internal static Page Of(IServiceProvider services)
    {
        var pipeline = new ApplicationBuilder(services);
        pipeline.UseRouting();
        pipeline.UseEndpoints(endpoints => endpoints.MapOrleansDashboard(Prefix));
        RequestDelegate pages = pipeline.Build();
        return new Page(Prefix, HandleAsync, IsTree: true);

        async Task HandleAsync(HttpContext context)
        {
            // The listener has services of its own, which do not know the silo's.
            await using AsyncServiceScope scope = services.CreateAsyncScope();
            context.RequestServices = scope.ServiceProvider;
            context.Response.Headers.ContentSecurityPolicy = BrowserHeaders.WithInlineStyles;
            await pages(context).ConfigureAwait(false);
        }
    }
}
