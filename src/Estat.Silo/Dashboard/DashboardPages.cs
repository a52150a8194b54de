// The Orleans Dashboard below /orleans, in a pipeline of its own: events must not pay for its routing.
using System.Diagnostics;
using Estat.Api.Http;
using Orleans.Dashboard;

namespace Estat.Silo.Dashboard;

/// <summary>Adds the dashboard to a silo and answers its pages.</summary>
internal static class DashboardPages
{
    private const string Prefix = "/orleans";

    private static readonly Problem NotFound = Problem.Of(
        StatusCodes.Status404NotFound, $"Estat answers /collect (not on a pure silo), /health, /health/ready, /health/sink, /metrics and {Prefix}.");

    /// <summary>Adds what the pages read.</summary>
    internal static void Add(ISiloBuilder silo)
    {
        silo.AddDashboard(options => options.HideTrace = true); // it would take Estat's log lines, which go elsewhere
        silo.Services.AddRouting();
        silo.Services.AddSingleton(_ => new DiagnosticListener("Microsoft.AspNetCore"));
    }

    /// <summary>Answers the pages to those who may see them, and 404 elsewhere.</summary>
    /// <param name="services">The silo's.</param>
    /// <param name="adminToken">ADMIN_TOKEN.</param>
    internal static RequestDelegate Of(IServiceProvider services, string? adminToken)
    {
        var pipeline = new ApplicationBuilder(services);
        pipeline.UseRouting();
        pipeline.UseEndpoints(endpoints => endpoints.MapOrleansDashboard(Prefix));
        RequestDelegate pages = pipeline.Build();
        var access = new AdminAccess(adminToken, async context =>
        {
            // The listener has services of its own, which do not know the silo's.
            await using AsyncServiceScope scope = services.CreateAsyncScope();
            context.RequestServices = scope.ServiceProvider;
            await pages(context).ConfigureAwait(false);
        });
        return context => context.Request.Path.StartsWithSegments(Prefix, StringComparison.Ordinal) ? access.HandleAsync(context) : NotFound.WriteAsync(context);
    }
}
