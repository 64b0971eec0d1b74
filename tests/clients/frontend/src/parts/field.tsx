import type { ComponentProps } from 'react';

type Props = { name: string; label: string; isLarge?: boolean };

/** A text field of a form, with its label as placeholder, as RealWorld has it. */
export const Field = ({ label, isLarge = false, ...input }: Props & ComponentProps<'input'>) => (
  <fieldset className="form-group">
    <input className={classOf(isLarge)} type="text" placeholder={label} aria-label={label} {...input} />
  </fieldset>
);

export const TextField = ({ label, isLarge = false, ...input }: Props & ComponentProps<'textarea'>) => (
  <fieldset className="form-group">
    <textarea className={classOf(isLarge)} rows={8} placeholder={label} aria-label={label} {...input} />
  </fieldset>
);

const classOf = (isLarge: boolean) => `form-control ${isLarge ? 'form-control-lg' : ''}`;
