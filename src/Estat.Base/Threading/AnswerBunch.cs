// Lets answers that become known one after another on one thread leave together.
namespace Estat.Base.Threading;

/// <summary>Somebody who may wait until a bunch has ended.</summary>
internal interface IBunched
{
    /// <summary>The bunch has ended. Must not throw.</summary>
    void OnBunchEnded();
}

/// <summary>
/// A sync makes many answers known, several of one connection among them if its client sends without waiting. Who has more to come adds itself, and
/// is called once all are known: it then sends them with one call to the kernel. One bunch a thread.
/// </summary>
internal static class AnswerBunch
{
    [ThreadStatic]
    private static List<IBunched>? _waiting;

    [ThreadStatic]
    private static bool _isOpen;

    /// <summary>A bunch begins on this thread.</summary>
    internal static void Begin() => _isOpen = true;

    /// <summary>It ends: those who have added themselves are called.</summary>
    internal static void End()
    {
        _isOpen = false;
        if (_waiting is not { Count: > 0 } waiting)
        {
            return;
        }

        foreach (IBunched one in waiting)
        {
            one.OnBunchEnded();
        }

        waiting.Clear();
    }

    /// <summary>Asks to be called at the end of this thread's bunch.</summary>
    /// <returns>False: there is none.</returns>
    internal static bool TryAdd(IBunched one)
    {
        if (!_isOpen)
        {
            return false;
        }

        (_waiting ??= []).Add(one);
        return true;
    }
}
