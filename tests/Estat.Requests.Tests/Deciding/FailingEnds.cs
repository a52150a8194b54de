// A store that sometimes cannot write how an attempt ended, as one whose disk is full.
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Estat.Requests.Tests.Deciding;

/// <summary>Hands everything else on.</summary>
[SuppressMessage("Performance", "CA1852", Justification = "The proxy that is made at run time derives from it")]
internal class FailingEnds : DispatchProxy
{
    private IRequestStore _store = null!;
    private Func<bool> _fails = null!;

    internal static IRequestStore Of(IRequestStore store, Func<bool> fails)
    {
        IRequestStore proxy = Create<IRequestStore, FailingEnds>();
        ((FailingEnds)(object)proxy)._store = store;
        ((FailingEnds)(object)proxy)._fails = fails;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(IRequestStore.EndAttemptAsync) && _fails()
            ? Task.FromException<bool>(new StoreException("the disk is full"))
            : targetMethod.Invoke(_store, args);
}
