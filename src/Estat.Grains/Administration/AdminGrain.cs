// The shells around a silo's IAdminDesk.
using Estat.Http.Administration;
using Orleans.Runtime.Services;

namespace Estat.Grains.Administration;

/// <summary>A few at once: what hangs on storage must not gather others behind it without bound, nor keep them all out.</summary>
[StatelessWorker(MostAtOnce), GrainType("admin")]
internal sealed class AdminGrain(IAdminDesk desk) : Grain, IAdminGrain
{
    private const int MostAtOnce = 4;

    /// <inheritdoc/>
    public Task<WireAdminReply> AskAsync(WireAdminRequest request) => WireAdmin.AnswerAsync(desk, request);
}

/// <summary>One on every silo; calls interleave.</summary>
internal sealed class AdminSiloGrain(GrainId id, Silo silo, ILoggerFactory loggers, IAdminDesk desk) : GrainService(id, silo, loggers),
    IAdminSiloGrain
{
    /// <inheritdoc/>
    public Task<WireAdminReply> AskAsync(WireAdminRequest request) => WireAdmin.AnswerAsync(desk, request);
}

/// <summary>Finds the admin grain of a silo.</summary>
/// <param name="services">The silo's services.</param>
public sealed class AdminSiloClient(IServiceProvider services) : GrainServiceClient<IAdminSiloGrain>(services)
{
    /// <summary>The one on that silo.</summary>
    public IAdminSiloGrain At(SiloAddress silo) => GetGrainService(silo);
}
