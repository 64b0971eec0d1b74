export const TagList = ({ names }: { names: readonly string[] }) => (
  <ul className="tag-list">
    {names.map((name) => (
      <li key={name} className="tag-default tag-pill tag-outline">
        {name}
      </li>
    ))}
  </ul>
);
