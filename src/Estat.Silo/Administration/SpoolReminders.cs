// The reminders of the cluster's spools, for the pages of a silo.
using Estat.Collect.Http;
using Estat.Grains.Hosting;
using Estat.Grains.Recovery;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Estat.Silo.Administration;

/// <summary>Made before the silo, as its listener needs it: it answers once the silo has joined.</summary>
internal sealed class SpoolReminders : ISpoolReminders
{
    private volatile IServiceProvider? _services;

    private IServiceProvider Services => _services ?? throw new InvalidOperationException("this silo has not joined the cluster yet");

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RemindedSpool>> ListAsync()
    {
        ReminderTableData rows = await Services.GetRequiredService<IReminderTable>().ReadRows(0, 0).ConfigureAwait(false); // the whole ring
        Dictionary<string, string> nodes = NodesBySpool();
        return
        [
            .. rows.Reminders.Where(row => row.GrainId.Type.ToString() == RecoveryGrain.TypeName)
                .Select(row => row.GrainId.Key.ToString()!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
                .Select(spool => new RemindedSpool(spool, nodes.GetValueOrDefault(spool))),
        ];
    }

    /// <inheritdoc/>
    public async Task<ForgetEnd> ForgetAsync(string spool)
    {
        var grains = Services.GetRequiredService<IGrainFactory>();
        if (NodesBySpool().ContainsKey(spool))
        {
            return ForgetEnd.Mounted;
        }

        try
        {
            return await grains.GetGrain<IRecoveryGrain>(spool).ForgetAsync().ConfigureAwait(false) ? ForgetEnd.Forgotten : ForgetEnd.Missing;
        }
        catch (InvalidOperationException)
        {
            return ForgetEnd.Mounted; // by a silo whose metadata had not come here yet
        }
    }

    /// <summary>The silo has joined.</summary>
    internal void Join(IServiceProvider services) => _services = services;

    private Dictionary<string, string> NodesBySpool()
    {
        var metadata = Services.GetRequiredService<ISiloMetadataCache>();
        var nodes = new Dictionary<string, string>(StringComparer.Ordinal);
        ClusterMembershipSnapshot members = Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot;
        foreach (ClusterMember member in members.Members.Values.Where(member => member.Status == SiloStatus.Active))
        {
            if (metadata.GetSiloMetadata(member.SiloAddress).Metadata.GetValueOrDefault(SiloMetadataNames.Spool) is { } spool)
            {
                nodes[spool] = member.Name;
            }
        }

        return nodes;
    }
}
