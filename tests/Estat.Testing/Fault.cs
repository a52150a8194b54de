// What a FaultProxy does to connections.

namespace Estat.Testing;

/// <summary>Kinds of <see cref="Fault"/>.</summary>
public enum FaultKind
{
    None,
    Refuse,
    Hang,
    CutUpload,
    DropResponse,
    Slow,
    Portal,
    LoseAnswer,
}

/// <summary>What a <see cref="FaultProxy"/> does to a connection, and to how many of them.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Amount">Bytes for <see cref="FaultKind.CutUpload"/>, bytes per second for <see cref="FaultKind.Slow"/>, how often the text comes for
/// <see cref="FaultKind.LoseAnswer"/>, else 0.</param>
/// <param name="Connections">To how many of the next connections it is done; the ones after go through untouched. Null: to all.</param>
public sealed record Fault(FaultKind Kind, long Amount = 0, int? Connections = null)
{
    /// <summary>What <see cref="FaultKind.LoseAnswer"/> looks for in what the client sends.</summary>
    public string Text { get; private init; } = "";

    /// <summary>Everything goes through.</summary>
    public static Fault None { get; } = new(FaultKind.None);

    /// <summary>Connections are accepted and reset at once.</summary>
    public static Fault Refuse { get; } = new(FaultKind.Refuse);

    /// <summary>Connections are accepted, what comes is swallowed, nothing is ever answered.</summary>
    public static Fault Hang { get; } = new(FaultKind.Hang);

    /// <summary>The server gets the whole request, the client a reset instead of the answer: done, but not known to be done.</summary>
    public static Fault DropResponse { get; } = new(FaultKind.DropResponse);

    /// <summary>The server gets nothing; the client is answered 200 with a page of HTML to whatever it asks, as by a login page on the way.</summary>
    public static Fault Portal { get; } = new(FaultKind.Portal);

    /// <summary>Both sides get a reset once this many bytes went from client to server on the connection.</summary>
    public static Fault CutUploadAfter(long bytes) => new(FaultKind.CutUpload, bytes);

    /// <summary>Each direction of each connection carries this many bytes per second.</summary>
    public static Fault Slow(int bytesPerSecond) => new(FaultKind.Slow, bytesPerSecond);

    /// <summary>The server gets what the client sends up to a text and does it; once it answers, the client gets a reset instead.</summary>
    /// <param name="text">In one portion with what it belongs to, as short statements of a protocol are.</param>
    /// <param name="time">Which time that the text comes on a connection, from 1.</param>
    public static Fault LoseAnswerTo(string text, int time) => new(FaultKind.LoseAnswer, time) { Text = text };

    /// <summary>The same, for the next <paramref name="connections"/> connections only.</summary>
    public Fault ForNext(int connections) => this with { Connections = connections };
}
