// What one connection does, and what has to come of it.
namespace Estat.Fuzz;

/// <summary>What has to come of a request whose meaning is known.</summary>
/// <param name="Statuses">Statuses that are right; 503 always is where events are sent.</param>
/// <param name="Events">Bodies that are stored if the request is acknowledged; null: unknown.</param>
/// <param name="TooLarge">Events of a batch that are rejected by index.</param>
internal sealed record Expectation(int[] Statuses, IReadOnlyList<byte[]>? Events, int TooLarge = 0)
{
    private static readonly IReadOnlyList<byte[]> None = [];

    /// <summary>Whatever comes: the request may even end elsewhere than it was meant to, so that nothing is foretold of what follows it.</summary>
    internal static Expectation Anything { get; } = new([], null);

    /// <summary>One of these statuses, and nothing is stored.</summary>
    internal static Expectation Only(params int[] statuses) => new(statuses, None);

    /// <summary>Acknowledged, and exactly these are stored.</summary>
    internal static Expectation Stores(params IReadOnlyList<byte[]> events) => new([200, 202], events);

    /// <summary>One of these statuses; what is stored is not foretold.</summary>
    internal static Expectation Perhaps(params int[] statuses) => new(statuses, null);

    /// <summary>The same, or one more status, which then stores nothing.</summary>
    internal Expectation Or(params int[] statuses) => this with { Statuses = [.. Statuses, .. statuses] };
}

/// <summary>One request of a case as it was meant.</summary>
/// <param name="Bytes">All of it.</param>
/// <param name="Expects">What has to come of it.</param>
/// <param name="IsHead">Whether its answer has no body.</param>
internal sealed record PlannedRequest(byte[] Bytes, Expectation Expects, bool IsHead = false);

/// <summary>How a case's connection ends.</summary>
internal enum Ending
{
    /// <summary>All is sent and read until the server closes, which the last request asks it to do.</summary>
    Whole,

    /// <summary>All is sent; once nothing has come for a moment, the client says that it sends no more, and reads on.</summary>
    Quiet,

    /// <summary>The client says at once that it sends no more, and reads on.</summary>
    HalfClose,

    /// <summary>The client stops in the middle and waits until the server has had enough.</summary>
    Stall,

    /// <summary>The connection is reset, as by a machine that crashed.</summary>
    Reset,

    /// <summary>The connection is closed without reading.</summary>
    Abandon,
}

/// <summary>How a case's bytes are sent.</summary>
/// <param name="Cuts">Positions, ascending, before which the client pauses.</param>
/// <param name="PauseMilliseconds">How long.</param>
/// <param name="Ending">What happens at <paramref name="End"/>.</param>
/// <param name="End">Bytes that are sent at all.</param>
/// <param name="ReadsLateMilliseconds">How long the client does not read while it sends.</param>
internal sealed record Delivery(IReadOnlyList<int> Cuts, int PauseMilliseconds, Ending Ending, int End, int ReadsLateMilliseconds);

/// <summary>One connection of the run.</summary>
/// <param name="Number">Its number in the run; with the seed it determines all the rest.</param>
/// <param name="Family">What it is about, for people.</param>
/// <param name="Bytes">What it would send if it sent all.</param>
/// <param name="Plan">Its requests in order; null: the bytes were mutated, and only what holds for any bytes can be judged.</param>
/// <param name="Delivery">How it is sent.</param>
internal sealed record FuzzCase(int Number, string Family, byte[] Bytes, IReadOnlyList<PlannedRequest>? Plan, Delivery Delivery)
{
    /// <summary>Whether headers may name another client than the connection's peer, so that lines cannot be told apart by address.</summary>
    internal bool MayNameClient => Contains(Bytes, "forwarded-for"u8) || Contains(Bytes, "viewer-address"u8);

    private static bool Contains(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> lower)
    {
        // Header names are spelt in several ways; those that mutation spoils name nobody.
        for (int i = 0; i + lower.Length <= bytes.Length; i++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(bytes.Slice(i, lower.Length), lower))
            {
                return true;
            }
        }

        return false;
    }
}
