// A part of the suite: measures one thing, and can be asked for by name.
using Estat.Bench.Reporting;

namespace Estat.Bench.Suite;

internal interface ISuitePart
{
    /// <summary>As <c>--only</c> takes it.</summary>
    string Name { get; }

    /// <summary>Measures it; says why when it cannot.</summary>
    Task<IReadOnlyList<Section>> RunAsync(SuiteContext context);
}
