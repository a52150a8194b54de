// Whether this silo may be of the cluster that it joins: asked of every member, before anything is taken.
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Grains.Replication;

namespace Estat.Silo.Clustering;

/// <summary>
/// Asked twice: before the silo becomes active, and after, when of two that join at the same moment the later one sees the other. Until the second
/// time has passed nobody is let in, neither gateways nor clients. A member that does not answer, or is of a version that cannot, holds nobody up for
/// long; <c>MembershipWatch</c> compares again, and takes who differs for no partner.
/// </summary>
internal sealed partial class JoinCheck(
    IClusterMembershipService membership, ILocalSiloDetails self, ReplicaGrainClient grains, JoiningSilos joining,
    EstatOptions options, TimeProvider time,
    ILogger<JoinCheck> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    private static readonly TimeSpan LongestAsking = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    private readonly HashSet<SiloAddress> _same = [];
    private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes once this silo may take events; never if it may not.</summary>
    internal Task Passed => _passed.Task;

    /// <summary>Why this silo may not be of this cluster, a sentence for the operator; null as long as it may.</summary>
    internal string? Refusal { get; private set; }

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(JoinCheck), ServiceLifecycleStage.ValidateInitialConnectivity + 1, AskAllAsync);
        observer.Subscribe(nameof(JoinCheck), ServiceLifecycleStage.Active + 1, async stop =>
        {
            await AskAllAsync(stop).ConfigureAwait(false);
            _passed.TrySetResult();
        });
    }

    private async Task AskAllAsync(CancellationToken cancellationToken)
    {
        SiloAddress[] others =
        [
            .. membership.CurrentSnapshot.Members.Values
                .Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)
                .Where(silo => !silo.Endpoint.Equals(self.SiloAddress.Endpoint) && !_same.Contains(silo)),
        ];
        WireSettings?[] answers = await Task.WhenAll(others.Select(silo => AskAsync(silo, cancellationToken))).ConfigureAwait(false);
        foreach ((SiloAddress silo, WireSettings? answer) in others.Zip(answers))
        {
            if (answer is null)
            {
                continue;
            }

            _same.Add(silo);
            Refusal ??= joining.DifferenceFrom(answer.Settings) is { } settingsDiffer
                ? $"this silo may not join cluster {options.Cluster.ClusterId}: {settingsDiffer} (silo {answer.Silo}). Silos of one CLUSTER_ID must "
                + "have the same value. Use the same value here, or another CLUSTER_ID. To change it for all silos, see docs/operations.md, The "
                + "cluster."
                : joining.ClockDifferenceFrom(answer) is { } clocksDiffer
                ? $"this silo may not join cluster {options.Cluster.ClusterId}: {clocksDiffer} (silo {answer.Silo}). Set the clock that is wrong "
                + "(NTP), and start it again."
                : null;
        }

        if (Refusal is { } refusal)
        {
            throw new OptionException(refusal);
        }
    }

    private async Task<WireSettings?> AskAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await grains.At(silo).CompareAsync(joining.Own).WaitAsync(LongestAsking, time, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                if (!membership.CurrentSnapshot.Members.TryGetValue(silo, out ClusterMember? member) || member.Status != SiloStatus.Active)
                {
                    return null;
                }

                if (time.GetElapsedTime(started) > LongestAsking)
                {
                    LogNotCompared(logger, silo, error.Message);
                    return null;
                }
            }

            await Task.Delay(Between, time, cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Silo {Silo} does not say where it writes ({Reason}), so this silo cannot check that both write to the same place. A silo of an "
            + "earlier version cannot say it")]
    private static partial void LogNotCompared(ILogger logger, SiloAddress silo, string reason);
}
