// Tells a fault that lasts once, and not at each attempt that meets it.
namespace Estat.Base.Logging;

/// <summary>A fault is news when it begins, and when it turns into another one. The caller logs. Any thread.</summary>
public sealed class ToldFault
{
    private string? _fault;

    /// <summary>Whether it lasts.</summary>
    public bool Lasts => Volatile.Read(ref _fault) is not null;

    /// <summary>The fault was met.</summary>
    /// <param name="fault">What it is; left out where all are one, above all where their texts differ each time.</param>
    /// <returns>Whether it is news.</returns>
    public bool IsNews(string fault = "") => Interlocked.Exchange(ref _fault, fault) != fault;

    /// <summary>It is over: if it comes again, it is news.</summary>
    public void End() => Volatile.Write(ref _fault, null);
}
