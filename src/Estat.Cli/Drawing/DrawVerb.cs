// `estat draw …`: what anybody may check.
namespace Estat.Cli.Drawing;

/// <summary>The verb below it.</summary>
internal static class DrawVerb
{
    internal static Command Create() => new("draw", "Checks the draw of a campaign") { DrawVerify.Create() };
}
