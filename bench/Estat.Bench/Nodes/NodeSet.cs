// Nodes that end together.
namespace Estat.Bench.Nodes;

internal sealed class NodeSet : IAsyncDisposable
{
    private readonly List<INode> _nodes = [];

    internal T Add<T>(T node)
        where T : INode
    {
        _nodes.Add(node);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (INode node in _nodes)
        {
            await node.DisposeAsync();
        }
    }
}
